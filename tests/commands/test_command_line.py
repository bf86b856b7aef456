"""An authority set up by commands alone, with every count compared with the independent recount."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.commands.reference import Mark, counted, is_headline, rates, rounded_half_up
from tests.support import servers
from tests.support.objects import upn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TERMS = """type,name,first_day,last_day
term,Autumn,2025-09-02,2025-12-19
closed,Half term,2025-10-27,2025-10-31
term,Spring,2026-01-05,2026-03-27
closed,Half term,2026-02-16,2026-02-20
term,Summer,13/04/2026,20/07/2026
closed,Half term,25/05/2026,29/05/2026
"""
SCHOOLS = """URN,LAESTAB,Name,Phase,Age range,Trust
900101,001/2101,Brook Lane Primary,Primary,4-11,
900102,001/4102,"Hill Top, The",Secondary,11-16,Weir Trust
"""
CODES = ("I", "I", "O", "G", "U", "N", "L", "L", "M", "C", "C1", "C2", "J1", "V", "B", "P", "K", "D", "Y1", "Q", "E", "T", "R", "S")
#: Two weeks of autumn, one of spring, and the weeks around the May half term.
WEEKS = [date(2025, 9, 8), date(2025, 9, 15), date(2026, 3, 2), date(2026, 5, 18), date(2026, 6, 1)]
SECOND_HALF = date(2026, 6, 1)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[int, Any]]]:
    """Runs a command on a database of its own, and returns its exit status and document."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_commands" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "portal_commands" TEMPLATE "{servers.TEMPLATE}" OWNER portal_owner')
    environ = {
        **os.environ,
        "DATABASE_URL": os.environ[servers.APP].format("portal_commands"),
        "DATABASE_OWNER_URL": os.environ[servers.OWNER].format("portal_commands"),
        "REDIS_URL": os.environ[servers.REDIS],
        "PORTAL_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }

    def run(*arguments: str, stdin: str | None = None) -> tuple[int, Any]:
        finished = subprocess.run(
            [sys.executable, "-P", "-m", "portal", *arguments], env=environ, input=stdin, capture_output=True, text=True,
            timeout=120, cwd=Path(__file__).parents[2], check=False,
        )  # fmt: skip
        assert "Traceback" not in finished.stderr, finished.stderr
        return finished.returncode, json.loads(finished.stdout) if finished.stdout else None

    yield run
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_commands" WITH (FORCE)')


def _marks() -> list[Mark]:
    rng = random.Random(11)  # noqa: S311  marks, not secrets
    marks = []
    for school, groups, first_number in (("900101", ("R", "1", "6"), 0), ("900102", ("7", "11"), 100)):
        for number in range(first_number, first_number + 20):
            group = groups[number % len(groups)]
            age = 4 if group == "R" else 4 + int(group)
            born = date(2025 - age, 8, 31) - timedelta(days=rng.randrange(0, 365))
            absence_share = rng.choice((0.02, 0.1, 0.6))
            for week in WEEKS:
                for on in (week + timedelta(days=offset) for offset in range(5)):
                    for session in ("AM", "PM"):
                        present_code = "/" if session == "AM" else "\\"
                        code = rng.choice(CODES) if rng.random() < absence_share else present_code
                        marks.append(Mark(school, upn(number), born, group, on, session, code))
    return marks


def _write(path: Path, marks: list[Mark]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["UPN", "Surname", "Forename", "Date of birth", "Year group", "Date", "Session", "Code"])
        for mark in marks:
            writer.writerow(
                [
                    mark.upn,
                    f"Marsh{mark.upn[-3:]}",
                    "Robin",
                    f"{mark.born:%d/%m/%Y}",
                    mark.year_group,
                    f"{mark.on:%d/%m/%Y}",
                    mark.half,
                    mark.code,
                ]
            )
    return path


@pytest.fixture(scope="module")
def imported_marks(portal: Callable[..., tuple[int, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[Mark]:
    """The marks of two schools, imported by commands."""
    folder, marks = tmp_path_factory.mktemp("files"), _marks()
    (folder / "schools.csv").write_text(SCHOOLS)
    (folder / "terms.csv").write_text(TERMS)
    assert portal("authority", "add", "weir", "--name", "Weir", "--la-code", "001")[1]["authority"]["slug"] == "weir"
    assert portal("schools", "import", "--authority", "weir", str(folder / "schools.csv"))[1]["added"] == 2
    assert portal("term-dates", "import", "--authority", "weir", str(folder / "terms.csv"))[0] == 0
    registers = folder / "registers"
    registers.mkdir()
    for school in ("900101", "900102"):
        _write(registers / f"{school}.csv", [mark for mark in marks if mark.urn == school])
    status, document = portal("marks", "import", "--authority", "weir", "--by-filename", "--add-pupils", str(registers))
    assert status == 0
    assert document["rows_in"] == document["rows_stored"] == len(marks)
    assert [upload["state"] for upload in document["files"]] == ["applied", "applied"]
    return marks


def _check_group(group: dict[str, Any], marks: list[Mark], *, by: str = "none") -> None:
    (expected,) = counted(marks, by).values()
    assert {name: group[name] for name in expected} == expected
    absence = rates(expected)["overall_absence"]
    assert absence is not None
    assert group["rates_rounded"]["overall_absence"] == rounded_half_up(absence)
    assert group["rates"]["overall_absence"] == pytest.approx(float(absence), abs=1e-9)


def _measured(portal: Callable[..., tuple[int, Any]], *options: str) -> list[dict[str, Any]]:
    status, document = portal("measures", "--authority", "weir", *options)
    assert status == 0
    return list(document["groups"])


def test_measures_equal_the_recount_over_every_pupil_and_mark(
    portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark]
) -> None:
    (everything,) = _measured(portal, "--include-all-ages")
    _check_group(everything, imported_marks)


def test_the_headline_leaves_out_reception_and_year_11_after_the_may_half_term(
    portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark]
) -> None:
    headline = [mark for mark in imported_marks if is_headline(mark, {2025: SECOND_HALF})]
    assert {mark.year_group for mark in imported_marks} - {mark.year_group for mark in headline} == {"R"}
    (everything,) = _measured(portal)
    _check_group(everything, headline)
    for group in _measured(portal, "--by", "school"):
        _check_group(group, [mark for mark in headline if mark.urn == group["group"]])
    for group in _measured(portal, "--by", "week"):
        monday = date.fromisoformat(group["group"])
        _check_group(group, [mark for mark in headline if monday <= mark.on < monday + timedelta(days=7)], by="week")
        assert group["persistently_absent"] is None
    for group in _measured(portal, "--by", "month", "--school", "900102"):
        _check_group(group, [mark for mark in headline if mark.urn == "900102" and f"{mark.on:%Y-%m}" == group["group"]])
    for group in _measured(portal, "--by", "year-group", "--include-all-ages"):
        _check_group(group, [mark for mark in imported_marks if mark.year_group == group["group"]])


def test_days_and_phases_narrow_the_count(portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark]) -> None:
    first, last = date(2025, 9, 10), date(2026, 3, 4)
    (group,) = _measured(portal, "--include-all-ages", "--phase", "primary", "--from", str(first), "--to", str(last))
    _check_group(group, [mark for mark in imported_marks if mark.urn == "900101" and first <= mark.on <= last])
    codes = {group["group"]: group["sessions"] for group in _measured(portal, "--by", "code", "--include-all-ages")}
    assert codes == counted(imported_marks, "none")["all"]["codes"]


def test_a_correction_can_be_previewed_applied_and_reverted(
    portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark], tmp_path: Path
) -> None:
    week = [mark for mark in imported_marks if mark.urn == "900101" and mark.on < date(2025, 9, 13)]
    corrected = [Mark(**{**mark.__dict__, "code": "I" if mark.code in {"/", "\\"} else mark.code}) for mark in week]
    file = _write(tmp_path / "again.csv", corrected)
    changed = sum(old.code != new.code for old, new in zip(week, corrected, strict=True))
    before = _measured(portal, "--include-all-ages")
    _, document = portal("marks", "import", "--authority", "weir", "--school", "900101", "--rehearse", str(file))
    assert (document["changed"], document["unchanged"], document["files"][0]["state"]) == (
        changed,
        len(week) - changed,
        "rehearsed",
    )
    assert _measured(portal, "--include-all-ages") == before
    _, document = portal("marks", "import", "--authority", "weir", "--school", "900101", str(file))
    other_marks = [mark for mark in imported_marks if mark not in week]
    _check_group(_measured(portal, "--include-all-ages")[0], [*corrected, *other_marks])
    status, reverted = portal("marks", "undo", document["files"][0]["upload"])
    assert (status, reverted["state"]) == (0, "undone")
    assert _measured(portal, "--include-all-ages") == before
    assert portal("marks", "undo", document["files"][0]["upload"])[0] == 1
    assert portal("audit", "verify", "--authority", "weir")[1]["holds"] is True


def test_rejected_rows_are_listed_and_good_rows_are_stored(
    portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark], tmp_path: Path
) -> None:
    good = [mark for mark in imported_marks if mark.urn == "900101"][:4]
    bad = [
        Mark(**{**good[0].__dict__, "on": date(2025, 9, 13)}),
        Mark(**{**good[0].__dict__, "on": date(2030, 1, 7)}),
        Mark(**{**good[0].__dict__, "on": date(2025, 9, 16), "code": "Z1"}),
        Mark(**{**good[0].__dict__, "upn": upn(999)}),
    ]
    file = _write(tmp_path / "mixed.csv", [*good, *bad])
    status, document = portal("marks", "import", "--authority", "weir", "--school", "900101", str(file))
    assert (status, document["rows_in"], document["rows_stored"], document["rows_refused"]) == (0, 8, 4, 4)
    kinds = {finding["kind"]: finding["rows"] for finding in document["files"][0]["problems"] if finding["refused"]}
    assert kinds == {"not-school-day": "6", "future-date": "7", "unknown-code": "8", "unknown-pupil": "9"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("measures", "--authority", "nowhere"), "There is no authority nowhere"),
        (("marks", "import", "--authority", "weir", "--school", "999999", "x.csv"), "There is no school with URN 999999"),
        (("marks", "import", "--authority", "weir", "--school", "900101", "not-there.csv"), "not-there.csv could not be opened"),
        (("marks", "import", "--authority", "weir", "x.csv"), "Say which school"),
        (("marks", "undo", "nonsense"), "Give the upload's id"),
        (("authority", "add", "weir", "--name", "Again", "--la-code", "001"), "Another authority has the short name"),
    ],
)
def test_a_failed_command_prints_one_document_and_exits_with_1(
    portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark], arguments: tuple[str, ...], sentence: str
) -> None:
    status, document = portal(*arguments)
    assert status == 1
    assert sentence in document["error"]
    assert set(document) == {"error", "problems"}


def test_a_file_that_is_not_a_register_is_rejected(
    portal: Callable[..., tuple[int, Any]], imported_marks: list[Mark], tmp_path: Path
) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 not a register")
    status, document = portal("marks", "import", "--authority", "weir", "--school", "900101", str(tmp_path / "letter.pdf"))
    assert status == 1
    assert document["problems"][0]["state"] == "refused"


def test_rules_check_judges_cases_from_standard_input(portal: Callable[..., tuple[int, Any]]) -> None:
    case = {"id": "1", "check": "time_limit", "offence_dates": ["2025-08-31"], "information_laid_on": "2026-02-28"}
    status, document = portal("rules", "check", stdin=json.dumps({"cases": [case]}))
    assert status == 0
    assert document["results"][0]["offences"][0] == {"offence_date": "2025-08-31", "last_day_to_lay": "2026-02-28", "in_time": True}


def test_a_closed_pipe_ends_the_command_quietly() -> None:
    closed_reader, writer = os.pipe()
    os.close(closed_reader)
    cases = [{"id": str(number), "check": "time_limit", "offence_dates": ["2025-08-31"]} for number in range(500)]
    try:
        finished = subprocess.run(
            [sys.executable, "-P", "-m", "portal", "rules", "check"], input=json.dumps({"cases": cases}), stdout=writer,
            stderr=subprocess.PIPE, text=True, timeout=120, cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (finished.returncode, finished.stderr) == (128 + signal.SIGPIPE, "")
