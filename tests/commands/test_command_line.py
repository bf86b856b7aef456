"""From an empty database to measures, by commands only, every count compared with the recount."""

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

from tests.commands.reference import Mark, counted, half_up, is_headline, rates
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
#: Weeks of the story: two of autumn, one of spring, and the weeks around the May half term.
WEEKS = [date(2025, 9, 8), date(2025, 9, 15), date(2026, 3, 2), date(2026, 5, 18), date(2026, 6, 1)]
SECOND_HALF = date(2026, 6, 1)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[int, Any]]]:
    """Runs a command on a database of its own; answers its exit status and its document."""
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

    def run(*arguments: str, said: str | None = None) -> tuple[int, Any]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "portal", *arguments], env=environ, input=said, capture_output=True, text=True,
            timeout=120, cwd=Path(__file__).parents[2], check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    yield run
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_commands" WITH (FORCE)')


def _marks() -> list[Mark]:
    draw = random.Random(11)  # noqa: S311  marks, not secrets
    marks = []
    for school, groups, first in (("900101", ("R", "1", "6"), 0), ("900102", ("7", "11"), 100)):
        for number in range(first, first + 20):
            group = groups[number % len(groups)]
            age = 4 if group == "R" else 4 + int(group)
            born = date(2025 - age, 8, 31) - timedelta(days=draw.randrange(0, 365))
            often = draw.choice((0.02, 0.1, 0.6))
            for week in WEEKS:
                for on in (week + timedelta(days=ahead) for ahead in range(5)):
                    for session in ("AM", "PM"):
                        usual = "/" if session == "AM" else "\\"
                        code = draw.choice(CODES) if draw.random() < often else usual
                        marks.append(Mark(school, upn(number), born, group, on, session, code))
    return marks


def _write(path: Path, marks: list[Mark]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["UPN", "Surname", "Forename", "Date of birth", "Year group", "Date", "Session", "Code"])
        for one in marks:
            out.writerow(
                [
                    one.upn,
                    f"Marsh{one.upn[-3:]}",
                    "Robin",
                    f"{one.born:%d/%m/%Y}",
                    one.year_group,
                    f"{one.on:%d/%m/%Y}",
                    one.half,
                    one.code,
                ]
            )
    return path


@pytest.fixture(scope="module")
def story(portal: Callable[..., tuple[int, Any]], tmp_path_factory: pytest.TempPathFactory) -> list[Mark]:
    """An authority with two schools and their marks, everything by command."""
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
    status, told = portal("marks", "import", "--authority", "weir", "--by-filename", "--add-pupils", str(registers))
    assert status == 0
    assert told["rows_in"] == told["rows_stored"] == len(marks)
    assert [one["state"] for one in told["files"]] == ["applied", "applied"]
    return marks


def _same(group: dict[str, Any], marks: list[Mark], *, by: str = "none") -> None:
    (wanted,) = counted(marks, by).values()
    assert {name: group[name] for name in wanted} == wanted
    absence = rates(wanted)["overall_absence"]
    assert absence is not None
    assert group["rates_rounded"]["overall_absence"] == half_up(absence)
    assert group["rates"]["overall_absence"] == pytest.approx(float(absence), abs=1e-9)


def _measured(portal: Callable[..., tuple[int, Any]], *more: str) -> list[dict[str, Any]]:
    status, told = portal("measures", "--authority", "weir", *more)
    assert status == 0
    return list(told["groups"])


def test_measures_equal_the_recount_over_every_pupil_and_mark(portal: Callable[..., tuple[int, Any]], story: list[Mark]) -> None:
    (everything,) = _measured(portal, "--include-all-ages")
    _same(everything, story)


def test_the_headline_leaves_out_reception_and_year_11_after_the_may_half_term(
    portal: Callable[..., tuple[int, Any]], story: list[Mark]
) -> None:
    headline = [mark for mark in story if is_headline(mark, {2025: SECOND_HALF})]
    assert {mark.year_group for mark in story} - {mark.year_group for mark in headline} == {"R"}
    (everything,) = _measured(portal)
    _same(everything, headline)
    for group in _measured(portal, "--by", "school"):
        _same(group, [mark for mark in headline if mark.urn == group["group"]])
    for group in _measured(portal, "--by", "week"):
        monday = date.fromisoformat(group["group"])
        _same(group, [mark for mark in headline if monday <= mark.on < monday + timedelta(days=7)], by="week")
        assert group["persistently_absent"] is None
    for group in _measured(portal, "--by", "month", "--school", "900102"):
        _same(group, [mark for mark in headline if mark.urn == "900102" and f"{mark.on:%Y-%m}" == group["group"]])
    for group in _measured(portal, "--by", "year-group", "--include-all-ages"):
        _same(group, [mark for mark in story if mark.year_group == group["group"]])


def test_days_inside_weeks_and_phases_narrow_the_count(portal: Callable[..., tuple[int, Any]], story: list[Mark]) -> None:
    first, last = date(2025, 9, 10), date(2026, 3, 4)
    (group,) = _measured(portal, "--include-all-ages", "--phase", "primary", "--from", str(first), "--to", str(last))
    _same(group, [mark for mark in story if mark.urn == "900101" and first <= mark.on <= last])
    codes = {one["group"]: one["sessions"] for one in _measured(portal, "--by", "code", "--include-all-ages")}
    assert codes == counted(story, "none")["all"]["codes"]


def test_a_correction_a_rehearsal_and_an_undo(portal: Callable[..., tuple[int, Any]], story: list[Mark], tmp_path: Path) -> None:
    week = [mark for mark in story if mark.urn == "900101" and mark.on < date(2025, 9, 13)]
    corrected = [Mark(**{**one.__dict__, "code": "I" if one.code in {"/", "\\"} else one.code}) for one in week]
    file = _write(tmp_path / "again.csv", corrected)
    changed = sum(old.code != new.code for old, new in zip(week, corrected, strict=True))
    before = _measured(portal, "--include-all-ages")
    _, told = portal("marks", "import", "--authority", "weir", "--school", "900101", "--rehearse", str(file))
    assert (told["changed"], told["unchanged"], told["files"][0]["state"]) == (changed, len(week) - changed, "rehearsed")
    assert _measured(portal, "--include-all-ages") == before
    _, told = portal("marks", "import", "--authority", "weir", "--school", "900101", str(file))
    others = [mark for mark in story if mark not in week]
    _same(_measured(portal, "--include-all-ages")[0], [*corrected, *others])
    status, undone = portal("marks", "undo", told["files"][0]["upload"])
    assert (status, undone["state"]) == (0, "undone")
    assert _measured(portal, "--include-all-ages") == before
    assert portal("marks", "undo", told["files"][0]["upload"])[0] == 1
    assert portal("audit", "verify", "--authority", "weir")[1]["holds"] is True


def test_refused_rows_are_said_and_the_good_ones_stored(
    portal: Callable[..., tuple[int, Any]], story: list[Mark], tmp_path: Path
) -> None:
    good = [mark for mark in story if mark.urn == "900101"][:4]
    bad = [
        Mark(**{**good[0].__dict__, "on": date(2025, 9, 13)}),
        Mark(**{**good[0].__dict__, "on": date(2030, 1, 7)}),
        Mark(**{**good[0].__dict__, "on": date(2025, 9, 16), "code": "Z1"}),
        Mark(**{**good[0].__dict__, "upn": upn(999)}),
    ]
    file = _write(tmp_path / "mixed.csv", [*good, *bad])
    status, told = portal("marks", "import", "--authority", "weir", "--school", "900101", str(file))
    assert (status, told["rows_in"], told["rows_stored"], told["rows_refused"]) == (0, 8, 4, 4)
    kinds = {one["kind"]: one["rows"] for one in told["files"][0]["problems"] if one["refused"]}
    assert kinds == {"not-school-day": "6", "future-date": "7", "unknown-code": "8", "unknown-pupil": "9"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("measures", "--authority", "nowhere"), "There is no authority nowhere"),
        (("marks", "import", "--authority", "weir", "--school", "999999", "x.csv"), "There is no school with URN 999999"),
        (("marks", "import", "--authority", "weir", "--school", "900101", "not-there.csv"), "not-there.csv could not be opened"),
        (("marks", "import", "--authority", "weir", "x.csv"), "Say which school"),
        (("marks", "undo", "nonsense"), "Give the upload's id"),
        (("authority", "add", "weir", "--name", "Again", "--la-code", "001"), "Another authority has the short name"),
    ],
)
def test_what_cannot_be_done_is_one_document_and_status_1(
    portal: Callable[..., tuple[int, Any]], story: list[Mark], arguments: tuple[str, ...], said: str
) -> None:
    status, told = portal(*arguments)
    assert status == 1
    assert said in told["error"]
    assert set(told) == {"error", "problems"}


def test_a_file_that_is_no_register_is_refused_whole(
    portal: Callable[..., tuple[int, Any]], story: list[Mark], tmp_path: Path
) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7 not a register")
    status, told = portal("marks", "import", "--authority", "weir", "--school", "900101", str(tmp_path / "letter.pdf"))
    assert status == 1
    assert told["problems"][0]["state"] == "refused"


def test_the_rules_answer_cases_from_standard_input(portal: Callable[..., tuple[int, Any]]) -> None:
    case = {"id": "1", "check": "time_limit", "offence_dates": ["2025-08-31"], "information_laid_on": "2026-02-28"}
    status, told = portal("rules", "check", said=json.dumps({"cases": [case]}))
    assert status == 0
    assert told["results"][0]["offences"][0] == {"offence_date": "2025-08-31", "last_day_to_lay": "2026-02-28", "in_time": True}


def test_a_reader_that_leaves_early_ends_the_command_quietly() -> None:
    gone, writer = os.pipe()
    os.close(gone)
    cases = [{"id": str(number), "check": "time_limit", "offence_dates": ["2025-08-31"]} for number in range(500)]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "portal", "rules", "check"], input=json.dumps({"cases": cases}), stdout=writer,
            stderr=subprocess.PIPE, text=True, timeout=120, cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
