"""Census: the school census as XML, each pupil's possible sessions and absences by reason, as totals and never as marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from portal.rules.codes import BY_LETTERS, Category
from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.marks import code_text
from portal.uploads.reading.results import Problem, Reading
from portal.uploads.reading.upn import normalised, shape_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPANS = {"TermlyAttendance": "Term", "SummerHalfTerm2Attendance": "Second half of summer term"}
NO_COUNT = "The number of possible sessions cannot be read. Check the pupil's attendance in the census."


def read_census(root: etree._Element, encoding: str) -> Reading:
    """The totals of a school census. Sessions that are not possible (X, Y, Z, #) never enter absence.

    `row` is the pupil's place in the file. A census without UPNs keeps its totals with `upn` None and the names.
    """
    rows: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    for number, pupil in enumerate(root.iter("{*}Pupil", "{*}PupilOnRoll", "{*}PupilNoLongerOnRoll"), 1):
        upn = normalised(text_of(pupil, "UPN"))
        wrong = shape_problem(upn) if upn else None
        for tag, span in _SPANS.items():
            for block in pupil.iter(f"{{*}}{tag}"):
                possible = _whole(text_of(block, "SessionsPossible"))
                if wrong or possible is None:
                    kind, sentence = ("upn-shape", wrong) if wrong else ("no-total", NO_COUNT)
                    problems.append(Problem(kind, 0, number, 0, None, upn or None, sentence or NO_COUNT))
                else:
                    who = _who(pupil, upn)
                    rows.append({"row": number, **who, "span": _span(root, span), **_counted(block, possible)})
    return Reading(
        "census-xml",
        encoding=encoding,
        totals=tuple(rows),
        problems=tuple(problems),
        rows_in=len(rows) + len(problems),
    )


def text_of(element: etree._Element, name: str) -> str:
    """The text of the first element of that name inside another, or an empty text."""
    found = next(element.iter(f"{{*}}{name}"), None)
    return (found.text or "").strip() if found is not None else ""


def _who(pupil: etree._Element, upn: str) -> dict[str, Any]:
    return {
        "upn": upn or None,
        "local_id": text_of(pupil, "PupilID") or None,
        "surname": text_of(pupil, "Surname") or None,
        "forename": text_of(pupil, "Forename") or None,
        "date_of_birth": DateReader().read(text_of(pupil, "DOB")).on,
    }


def _span(root: etree._Element, span: str) -> str:
    term, year = text_of(root, "Term"), text_of(root, "Year")
    names = {"AUT": "Autumn", "SPR": "Spring", "SUM": "Summer"}
    return f"{span}, {names.get(term.upper(), term)} {year} census" if term and year else span


def _counted(block: etree._Element, possible: int) -> dict[str, Any]:
    reasons: dict[str, int] = {}
    for detail in block.iter("{*}SessionDetail"):
        letters = code_text(text_of(detail, "AttendanceReason"))
        reasons[letters] = reasons.get(letters, 0) + (_whole(text_of(detail, "AbsenceSessions")) or 0)
    by_category = {
        category: sum(count for letters, count in reasons.items() if letters in BY_LETTERS and BY_LETTERS[letters].category == category)
        for category in (Category.AUTHORISED, Category.UNAUTHORISED)
    }
    absent = sum(by_category.values())
    return {
        "possible": possible,
        "authorised": by_category[Category.AUTHORISED],
        "unauthorised": by_category[Category.UNAUTHORISED],
        "absent": absent,
        "attended": possible - absent,
        "reasons": reasons,
    }


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else None  # noqa: PLR2004  no year has 100,000 sessions
