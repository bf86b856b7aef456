"""Loading releases: once, completely or not at all, with an audit record and a report."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from portal.audit.models import AuditEvent
from portal.benchmarks import actions, queries
from portal.benchmarks.domain.bundled_releases import bundled_releases
from portal.benchmarks.domain.figures import ENGLAND
from portal.benchmarks.models import PublishedFigure, PublishedRelease
from portal.db.work import tx
from portal.platform.problems import ProblemsError
from tests.benchmarks.test_queries import HEADER, week_file

pytestmark = pytest.mark.usefixtures("bundled_figures")

SAMPLES = Path(__file__).parent / "samples"


def counts() -> tuple[int, int, int]:
    """How many releases, figures and audit events there are."""
    return tuple(
        tx().scalar(select(func.count()).select_from(table)) or 0 for table in (PublishedRelease, PublishedFigure, AuditEvent)
    )  # type: ignore[return-value]  # the test gives a whole number


def test_loading_the_bundled_releases_again_changes_nothing() -> None:
    """Loading runs at every start: seven releases and 21,440 figures, and nothing the second time."""
    before = counts()
    assert before[:2] == (len(bundled_releases()), 21_440)
    assert actions.load_bundled() == 0
    assert counts() == before


def test_a_missing_bundled_release_is_loaded_again() -> None:
    """What is loaded depends on what is missing, not on whether it ran before."""
    tx().connection().execute(delete(PublishedRelease).where(PublishedRelease.name.like("%2022/23")))
    assert queries.year_to_date("383", "primary", 2022) is None
    assert actions.load_bundled() == 1
    assert queries.year_to_date("383", "primary", 2022) is not None


def test_a_release_is_recorded_by_hash_and_counts() -> None:
    """The audit says who loaded what; it does not hold the typed name."""
    release_id = actions.import_release(week_file(50), name="Week 47", published_on=date(2025, 12, 4), file_name="weekly.csv")
    row = tx().scalars(select(AuditEvent).where(AuditEvent.subject_id == release_id)).one()
    release = tx().get(PublishedRelease, release_id)
    assert release is not None
    assert row.event == "benchmarks.release_loaded"
    assert row.facts == {"series": "daily", "published_on": "2025-12-04", "sha256": release.sha256, "figures": 1, "left_out": 0}
    assert (release.bundled, release.file_name, release.figures) == (False, "weekly.csv", 1)


def test_a_rejected_file_changes_nothing() -> None:
    """One wrong row among many, and not one figure is stored."""
    before = counts()
    good, bad = week_file(50).decode(), "2025,Week 46,National,,Primary,10,100,900,900,0,50,50,0,0,1000"
    with pytest.raises(ProblemsError, match="Row 3, column possible sessions: “1,000” is not the sum"):
        actions.import_release(f"{good}{bad}\n".encode(), name="Week 47", published_on=date(2025, 12, 4))
    assert counts() == before


@pytest.mark.parametrize(
    ("name", "published_on", "sentence"),
    [
        (" ", date(2025, 12, 4), "Enter the release's name"),
        ("Week 47", date(2026, 11, 26), "cannot be after today"),
        ("Week 47", date(2025, 11, 6), "The file has figures to 7 November 2025: enter the day it was published"),
    ],
)
def test_the_details_of_a_file_must_fit_it(name: str, published_on: date, sentence: str) -> None:
    """A publication date before the figures, or after today, is a slip."""
    with pytest.raises(ProblemsError, match=sentence):
        actions.import_release(week_file(50), name=name, published_on=published_on)


def test_loading_the_same_bytes_again_names_the_first_release() -> None:
    """The message names the first release, packed or not, under any name."""
    bundled = bundled_releases()[0]
    with pytest.raises(ProblemsError, match="is here already, as “Pupil attendance in schools: year to date 2022/23”"):
        actions.import_release(bundled.content(), name="Again", published_on=date(2026, 1, 1))


def test_a_year_to_date_runs_to_the_day_given_or_assumed() -> None:
    """The file does not say where it ends: the day is given, or assumed and noted."""
    row = "202627,Academic year,National,,Primary,10,100,940,940,0,60,60,0,0,1000"
    release_id = actions.import_release(
        f"{HEADER}\n{row}".encode(), name="A", published_on=date(2026, 10, 22), data_to=date(2026, 10, 9)
    )
    figure = queries.benchmark(ENGLAND, "primary", 2026)
    assert figure is not None
    assert (figure.first_day, figure.last_day) == (date(2026, 9, 14), date(2026, 10, 9))
    summary = queries.release(release_id)
    assert summary is not None
    assert summary.notes == ()
    later = row.replace("940,940,0,60,60", "930,930,0,70,70")
    assumed = queries.release(actions.import_release(f"{HEADER}\n{later}".encode(), name="B", published_on=date(2026, 11, 19)))
    assert assumed is not None
    assert "taken as 6 November 2026" in assumed.notes[0]


def test_the_command_line_gets_one_document(tmp_path: Path) -> None:
    """JSON-ready, with the release's id and no problems."""
    (tmp_path / "weekly.csv").write_bytes(week_file(50))
    report = actions.import_file(tmp_path / "weekly.csv", name="Week 47 2025", published_on=date(2025, 12, 4))
    assert json.loads(json.dumps(report))["problems"] == []
    assert (report["series"], report["figures"], report["left_out"], report["covers"]) == (
        "daily",
        1,
        0,
        ["2025/26, week 45, England and regions only"],
    )
    assert queries.benchmark(ENGLAND, "primary", date(2025, 11, 3)).release == "Week 47 2025"  # type: ignore[union-attr]  # just loaded


def test_the_command_line_gets_problems_with_row_column_and_value() -> None:
    """Problems are in the document, and nothing was loaded."""
    before = counts()
    report = actions.import_file(SAMPLES / "test_figures_unnamed_column.csv", published_on=date(2022, 9, 29))
    assert report["release"] is None
    assert (report["problems"][0]["row"], report["problems"][0]["value"]) == (2, "14,169,670,485")
    assert report["name"] == "test_figures_unnamed_column"
    assert counts() == before


def test_a_missing_file_is_reported() -> None:
    """No traceback for a mistyped path."""
    report = actions.import_file(Path("nowhere.csv"))
    assert report["problems"][0]["sentence"].startswith("The file cannot be opened")


def test_no_figure_is_personal() -> None:
    """Every column says so."""
    for table in (PublishedRelease, PublishedFigure):
        assert not any(column.info["personal"] for column in table.__table__.columns)
    assert {field.name for field in fields(actions.ReleaseDetails)} == {
        "name",
        "published_on",
        "file_name",
        "data_to",
        "is_copy_date",
    }


def test_a_symbol_is_kept_beside_the_numbers() -> None:
    """A low count is not 0: no number is stored, and the symbol is."""
    content = week_file(50).decode().replace(",0,1000", ",low,1000").encode()
    release_id = actions.import_release(content, name="Low", published_on=date(2025, 12, 4))
    row = tx().scalars(select(PublishedFigure).where(PublishedFigure.release_id == release_id)).one()
    assert (row.late, row.symbols, row.status) == (None, {"late": "low"}, "published")
