"""The heading of a table: which rows are titles, which hold the headers, and which layout they make."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.uploads.reading.dates import DateReader, academic_year_in, dates_in
from portal.uploads.reading.gathering import Slot
from portal.uploads.reading.proposals import propose
from portal.uploads.reading.synonyms import SYNONYMS, fold_header, session_of, weekday_session
from portal.uploads.reading.upn import normalised, shape_problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.uploads.reading.results import Column

DEEPEST = 40
_FEWEST_WEEKDAYS = 2
_HALF_AT_END = re.compile(r"(.*[^ _-])[ _-]*\(?\b([AP])\.?M\.?\)?", re.IGNORECASE)
_HALF_AT_START = re.compile(r"([AP])\.?M\.?[ _-]+(.*)", re.IGNORECASE)
_LONGEST = 60
_WEEK_OF = re.compile(r"(?:week ?(?:commencing|beginning|starting|of)|\bw ?/? ?[cb]\b)", re.IGNORECASE)
#: Headers only a table of totals has (folded). Each set: all of them must be there.
TOTALS = {
    "dfe-weekly": ({"possiblesessions", "absentsessions"}, {"possiblesessions", "authorisedabsentsessions"}),
    "census-csv": ({"termlysessionspossible"}, {"summerhalfterm2sessionspossible"}),
}
CENSUS_DETAIL = {"attendancereason", "sessions"}
PUBLISHED = {"timeperiod", "geographiclevel"}


@dataclass(frozen=True, slots=True)
class Heading:
    """Where the headers stand (`row` from 1, 0 when there are none) and what they make of the table."""

    layout: str
    row: int
    headers: tuple[str, ...]
    columns: tuple[Column, ...]
    slots: tuple[Slot, ...] = ()
    titles: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    title_rows: int = 0
    academic_year: int | None = None
    week: date | None = None
    places: dict[str, int] = field(default_factory=dict)


def heading_of(head: Sequence[Sequence[str]], mapping: Mapping[str, str] | None = None, *, name: str = "") -> Heading | None:
    """The heading of a table from its first rows; None when the table is empty. `name` is the sheet's."""
    at, above = _header_row(head, mapping)
    if at is None:
        return _without_header(head, mapping)
    own = list(head[at])
    upper = list(head[above]) if above is not None else []
    headers = _composite(own, upper)
    first_title = at if above is None else above
    titles = [name, *(" ".join(cell.strip() for cell in row if cell.strip()) for row in head[:first_title])]
    return _heading(headers, head[at + 1 :], mapping, titles, at + 1, session_row=own if upper else None, upper=_filled(upper, len(headers)))


def _heading(  # noqa: PLR0913  the parts of a heading
    headers: list[str],
    samples: Sequence[Sequence[str]],
    mapping: Mapping[str, str] | None,
    titles: list[str],
    row: int,
    *,
    session_row: list[str] | None,
    upper: list[str],
) -> Heading:
    year = academic_year_in(titles)
    slots = _date_slots(headers, year, session_row, upper) or _weekday_slots(headers, session_row, upper)
    used = {slot.column for slot in slots}
    columns = propose(["" if place in used else header for place, header in enumerate(headers, 1)], samples, mapping)
    columns = tuple(column for column in columns if column.position not in used)
    places = {column.meaning: column.position for column in columns if column.meaning and column.certain}
    layout = _layout({fold_header(header) for header in headers}, places, slots)
    if layout in {"long", "pupil-list", "dfe-weekly", "census-csv"}:
        slots = _long_slots(headers, places) if layout == "long" else ()
    week = _week_in(titles) if layout == "weekly-grid" else None
    missing = _missing(layout, places, week)
    shown = tuple(headers)
    told = tuple(title for title in titles[1:] if title)
    return Heading(layout, row, shown, columns, slots, told, missing, max(row - 1 - bool(session_row), 0), year, week, places)


def _header_row(head: Sequence[Sequence[str]], mapping: Mapping[str, str] | None) -> tuple[int | None, int | None]:
    """The place of the header row and of the row of dates above it, if there are two."""
    said = {fold_header(header) for header in mapping or ()}
    best, at, above = 1, None, None
    for place, row in enumerate(head[:DEEPEST]):
        if any(shape_problem(normalised(cell)) is None for cell in row if len(cell) < _LONGEST):
            break
        dates = _row_of_dates(head, place, row)
        worth = sum(_is_header(cell, said) for cell in row) + (2 * sum(session_of(cell) is not None for cell in row) if dates is not None else 0)
        if worth > best:
            best, at, above = worth, place, dates
    return at, above


def _is_header(cell: str, said: set[str]) -> bool:
    if not cell.strip() or len(cell) > _LONGEST:
        return False
    folded = fold_header(cell)
    return folded in SYNONYMS or folded in said or folded in _OTHER or weekday_session(cell) is not None or split_header(cell) is not None


_OTHER = {word for sets in TOTALS.values() for words in sets for word in words} | CENSUS_DETAIL | PUBLISHED


def _row_of_dates(head: Sequence[Sequence[str]], place: int, row: Sequence[str]) -> int | None:
    """The row of dates (or weekdays) that belongs above a row of AM and PM."""
    halves = [column for column, cell in enumerate(row) if session_of(cell) is not None and fold_header(cell) not in {"a", "p"}]
    if len(halves) < _FEWEST_WEEKDAYS:
        return None
    for upper in (place - 1, place - 2):
        if upper >= 0 and any(
            split_header(cell) is not None or weekday_session(cell) is not None for cell in list(head[upper])[halves[0] : halves[-1] + 1]
        ):
            return upper
    return None


def split_header(header: str) -> tuple[str, int | None] | None:
    """A header's date text and session: "07/09/2026 AM" is ("07/09/2026", 0), a date alone (text, None); None for no date."""
    text = " ".join(header[:_LONGEST].split())
    session = None
    turned = _HALF_AT_START.fullmatch(text)
    found = _HALF_AT_END.fullmatch(text)
    if turned:
        session, text = int(turned[1].upper() == "P"), turned[2]
    elif found and ":" not in text:
        session, text = int(found[2].upper() == "P"), found[1]
    if not any(sign.isdigit() for sign in text) or DateReader().read(text).kind == "unreadable-date":
        return None
    return text, session


def _composite(own: list[str], upper: list[str]) -> list[str]:
    """Headers in words: the lower row's, or the upper row's where the lower is blank; with both, a date over AM."""
    width = max(len(own), len(upper))
    own, filled = own + [""] * (width - len(own)), _filled(upper, width)
    both = []
    for place in range(width):
        text = own[place].strip()
        raw = upper[place].strip() if place < len(upper) else ""
        if text and upper and session_of(text) is not None and filled[place]:
            text = f"{filled[place]} {text}"
        both.append(text or raw)
    while both and not both[-1]:
        both.pop()
    return both


def _filled(upper: list[str], width: int) -> list[str]:
    """The upper row with each merged cell's text carried to the right."""
    filled, last = [], ""
    for cell in upper + [""] * (width - len(upper)):
        last = cell.strip() or last
        filled.append(last)
    return filled


def _date_slots(headers: list[str], year: int | None, session_row: list[str] | None, upper: list[str]) -> tuple[Slot, ...]:
    slots = []
    for place, header in enumerate(headers):
        if session_row is not None and place < len(session_row) and session_of(session_row[place]) is not None:
            over = split_header(upper[place])
            found = (over[0], session_of(session_row[place])) if over else None
        else:
            found = None if fold_header(header) in SYNONYMS else split_header(header)
        if found:
            slots.append(Slot(place + 1, header, found[1], day=found[0]))
    return tuple(slots)


def _weekday_slots(headers: list[str], session_row: list[str] | None, upper: list[str]) -> tuple[Slot, ...]:
    slots = []
    for place, header in enumerate(headers):
        found = weekday_session(header)
        if found is None and session_row is not None and place < len(session_row) and session_of(session_row[place]) is not None:
            over = weekday_session(upper[place])
            found = (over[0], session_of(session_row[place])) if over else None
        if found:
            slots.append(Slot(place + 1, header, found[1], weekday=found[0]))
    return tuple(slots) if len(slots) >= _FEWEST_WEEKDAYS else ()


def _long_slots(headers: list[str], places: dict[str, int]) -> tuple[Slot, ...]:
    if "code" in places:
        column = places["code"]
        return (Slot(column, headers[column - 1], by_row="session" in places),)
    pairs = sorted((places[meaning], session) for session, meaning in enumerate(("am_code", "pm_code")) if meaning in places)
    return tuple(Slot(column, headers[column - 1], session) for column, session in pairs)


def _layout(folded: set[str], places: dict[str, int], slots: tuple[Slot, ...]) -> str:
    for layout, sets in TOTALS.items():
        if any(words <= folded for words in sets):
            return layout
    if slots and "code" not in places:
        return "date-matrix" if slots[0].day is not None else "weekly-grid"
    marks = {"date", "code", "am_code", "pm_code", "session"} & set(places)
    who = {"surname", "name", "upn", "date_of_birth"} & set(places)
    return "long" if marks or not who else "pupil-list"


def _missing(layout: str, places: dict[str, int], week: date | None) -> tuple[str, ...]:
    """The meanings a layout cannot do without that no column certainly has."""
    wanted: list[str] = [] if layout in TOTALS else ["upn"]
    if layout == "pupil-list":
        wanted = ["date_of_birth"] if "name" in places else ["surname", "forename", "date_of_birth"]
    elif layout == "long":
        wanted += ["date"] + ([] if {"am_code", "pm_code"} & set(places) else ["code"])
    elif layout == "weekly-grid" and week is None:
        wanted.append("week")
    return tuple(meaning for meaning in wanted if meaning not in places and not (meaning == "week" and "date" in places))


def _week_in(titles: Sequence[str]) -> date | None:
    """The week a title row names: "Week commencing 07/09/2026", or the only date there is; None when there are several."""
    named = [on for title in titles if _WEEK_OF.search(title[:400]) for on in dates_in(title)]
    anywhere = [on for title in titles for on in dates_in(title)]
    for found in (named, anywhere):
        if len(set(found)) == 1:
            return found[0]
    mondays = {on for on in named or anywhere if not on.weekday()}
    return mondays.pop() if len(mondays) == 1 else None


def _without_header(head: Sequence[Sequence[str]], mapping: Mapping[str, str] | None) -> Heading | None:
    """A table without headers: columns are named by number and proposed by what stands in them."""
    rows = [row for row in head if any(cell.strip() for cell in row)]
    if not rows:
        return None
    headers = [f"Column {number}" for number in range(1, max(len(row) for row in rows) + 1)]
    return _heading(headers, rows, mapping, [""], 0, session_row=None, upper=[])
