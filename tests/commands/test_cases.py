"""Files that importers are known to read wrongly, each sent to an authority of its own.

Every cell that may be a mark is taken or refused, every word that is not understood is said, and a day is the day in London.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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

    def sent(path: str, kind: str = "marks", *options: str, school: str = "190001") -> Any:
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
