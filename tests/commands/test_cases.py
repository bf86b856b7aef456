"""Files that importers are known to read wrongly, each sent to an authority of its own.

Every cell that may be a mark is taken or refused, every word that is not understood is said, and a day is the day in London.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portal.uploads.domain.reading.reader import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.commands.conftest import Terminal

CASES = Path(__file__).parent / "cases"
SETUP = CASES / "setup"
_numbers = count()


@pytest.fixture
def send(terminal: Terminal) -> Callable[..., Any]:
    """Sends a file to an authority with four schools and six pupils. Returns the command's document."""
    slug = f"case-{next(_numbers)}"
    authority = ("--authority", slug)
    terminal.succeed("authority", "add", slug, "--name", slug, "--la-code", "899")
    terminal.succeed("schools", "import", *authority, SETUP / "schools.csv")
    terminal.succeed("term-dates", "import", *authority, SETUP / "terms.csv")
    in_year = ("--academic-year", "2026/27")
    terminal.succeed("pupils", "import", *authority, "--school", "190001", *in_year, SETUP / "pupils1.csv")

    def sent(path: str | Path, kind: str = "marks", *options: str, school: str = "190001") -> Any:
        at_school = () if kind == "schools" else ("--school", school)
        year = in_year if kind == "pupils" else ()
        document = terminal.succeed(kind, "import", *authority, *at_school, *year, *options, CASES / path)
        return document["files"][0] if "files" in document else document

    return sent


def kinds(document: Any, *, refused: bool = True) -> set[str]:
    return {problem["kind"] for problem in document["problems"] if problem["refused"] is refused}


@pytest.mark.parametrize(
    ("path", "stored", "refused", "first_day", "last_day"),
    [
        ("utc-instant/register-tue-to-fri.csv", 8, 0, "2026-09-08", "2026-09-11"),
        ("utc-instant/wonde-utc.json", 2, 0, "2026-09-08", "2026-09-09"),
        ("just-before-midnight/general-serial.xlsx", 1, 0, "2026-09-08", "2026-09-08"),
        ("just-before-midnight/hour-short.xlsx", 0, 2, None, None),
        ("just-before-midnight/seconds-short.xlsx", 0, 2, None, None),
        ("half-turned-dates/us-excel.xlsx", 0, 6, None, None),
        ("date-with-time/dmy-time.csv", 4, 0, "2026-09-08", "2026-09-08"),
    ],
)
def test_a_day_is_the_day_in_london(
    send: Callable[..., Any], path: str, stored: int, refused: int, first_day: str | None, last_day: str | None
) -> None:
    document = send(path)
    assert (document["rows_stored"], document["rows_refused"]) == (stored, refused)
    assert (document["covers_from"], document["covers_until"]) == (first_day, last_day)


@pytest.mark.parametrize(
    ("path", "kind", "options", "rows_in", "refused"),
    [
        ("name-without-comma/students.csv", "pupils", (), 2, {"no-forename"}),
        ("name-without-comma/students.csv", "marks", ("--add-pupils",), 2, {"no-forename"}),
        ("no-forename-crash/ctf.xml", "pupils", (), 1, {"no-forename"}),
        ("no-forename-crash/pupil-list.csv", "pupils", (), 1, {"no-forename"}),
        ("no-forename-crash/one-of-three.csv", "pupils", (), 3, {"no-forename"}),
        ("no-forename-crash/marks-add-pupils.csv", "marks", ("--add-pupils",), 1, {"unknown-pupil"}),
    ],
)
def test_a_pupil_without_a_forename_is_refused_and_the_others_are_kept(
    send: Callable[..., Any], path: str, kind: str, options: tuple[str, ...], rows_in: int, refused: set[str]
) -> None:
    previewed = send(path, kind, *options, *(("--preview",) if kind == "marks" else ()))
    document = send(path, kind, *options)
    assert (document["rows_in"], kinds(document)) == (rows_in, refused)
    assert document["rows_stored"] == max(0, rows_in - len(refused)) if rows_in == 3 else document["rows_stored"] == 0
    assert kinds(previewed) == refused


def test_a_pupil_the_school_has_keeps_its_forename(send: Callable[..., Any]) -> None:
    assert send("name-without-comma/held-pupil.csv", "pupils")["taken"]["questions"] == 1


@pytest.mark.parametrize("path", ["day-date.csv", "pupil-id.csv", "week-number.csv"])
def test_the_exact_name_of_a_column_wins(send: Callable[..., Any], path: str) -> None:
    document = send(f"exact-name-loses/{path}")
    assert document["rows_stored"] == document["rows_in"] > 0
    assert document["covers_from"] in {"2026-09-07", "2026-09-08"}


def test_a_legal_name_wins_over_a_preferred_one(send: Callable[..., Any], terminal: Terminal) -> None:
    assert send("exact-name-loses/pupil-list.csv", "pupils")["taken"]["added"] == 1
    (person,) = read((CASES / "exact-name-loses/preferred-legal.csv").read_bytes()).people
    assert (person.surname, person.forename) == ("Jones-Smith", "Robert")


@pytest.mark.parametrize("path", ["0-plain.xml", "1-wrapped-at-10.xml", "2-indented-weeks.xml"])
def test_wrapped_marks_are_those_of_one_line(send: Callable[..., Any], path: str) -> None:
    document = send(f"ctf-wrapped-marks/{path}")
    assert (document["rows_in"], document["rows_stored"], document["covers_until"]) == (20, 20, "2026-09-18")
    assert kinds(document, refused=False) == set()


def test_a_second_block_of_the_same_days_is_refused_and_counted(send: Callable[..., Any]) -> None:
    document = send("second-block-dropped/two-weeks-side-by-side.csv")
    assert (document["rows_in"], document["rows_stored"], kinds(document)) == (20, 10, {"unread-column"})


def test_a_day_without_a_year_is_refused_and_counted(send: Callable[..., Any]) -> None:
    document = send("undated-column-dropped/matrix.csv")
    assert (document["rows_in"], document["rows_stored"], kinds(document)) == (6, 2, {"unread-column"})


def test_weeks_one_below_the_other_have_their_own_days(send: Callable[..., Any]) -> None:
    document = send("stacked-weeks/stacked.csv")
    assert (document["rows_in"], document["rows_stored"]) == (8, 8)
    assert [(week["week"], week["added"]) for week in document["weeks"]] == [("2026-09-07", 4), ("2026-09-14", 4)]


def test_a_mark_of_a_pupil_not_on_roll_yet_agrees_with_the_roll(send: Callable[..., Any]) -> None:
    send("z-agrees-with-roll/1-pupil.csv", "pupils")
    before = send("z-agrees-with-roll/2-marks.csv")
    assert (before["rows_in"], before["rows_stored"], before["rows_refused"]) == (2, 2, 0)
    on_roll = send("z-agrees-with-roll/3-z-on-roll.csv")
    assert (on_roll["rows_stored"], kinds(on_roll)) == (0, {"on-roll"})


@pytest.mark.parametrize("path", sorted((CASES / "gias-not-a-school").iterdir()), ids=lambda path: path.stem)
def test_a_place_that_is_no_school_is_counted_and_holds_nothing_up(
    send: Callable[..., Any], terminal: Terminal, path: Path
) -> None:
    assert send(f"gias-not-a-school/{path.name}", "schools")["not_schools"] == 1
    heading, row = path.read_bytes().splitlines()
    school = row.replace(b"1901", b"1905").replace(b"1902", b"1905").replace(row.split(b",")[6], b"Community school")
    school = school.replace(b"Not applicable", b"Primary").replace(b"16 plus,16,99", b"Primary,4,11")
    document = send(terminal.file("both.csv", b"\n".join((heading, row, school))), "schools")
    assert (document["added"], document["not_schools"], document["refused"]) == (1, 1, 0)


def test_a_school_has_marks_of_its_open_days_only(send: Callable[..., Any]) -> None:
    send("closed-school-takes-marks/1-schools.csv", "schools")
    for school, stored in (("190301", 1), ("190302", 2)):
        send("closed-school-takes-marks/2-pupils.csv", "pupils", school=school)
        document = send("closed-school-takes-marks/3-marks.csv", school=school)
        assert (document["rows_stored"], kinds(document)) == (stored, {"school-not-open"})


def test_the_words_of_a_pupil_list_are_understood_or_said(send: Callable[..., Any]) -> None:
    statuses = send("first-letter-decides/enrolment-status.csv", "pupils")
    assert [problem["value"] for problem in statuses["problems"] if problem["kind"] == "unread-word"] == [
        "Guest (pupil not registered at this school)"
    ]
    words = send("unread-words-dropped/pupil-list.csv", "pupils")
    assert {problem["value"] for problem in words["problems"] if problem["kind"] == "unread-word"} == {
        "Eligible",
        "Currently eligible",
        "FSM",
        "Rec",
        "Nursery 1",
        "Foundation 2",
        "Not declared",
        "English",
    }
