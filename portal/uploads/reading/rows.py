"""Rows: the cells of a table by what they mean, and the pupil a row is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.uploads.reading.shapes import PupilKey
from portal.uploads.reading.tables import strip_half
from portal.uploads.reading.texts import Dates, clean, year_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from portal.uploads.reading.entries import Entries
    from portal.uploads.reading.tables import Sheet

UPN_LENGTH = 13
DATED = frozenset({"date", "week_commencing", "date_of_birth", "admission_date", "leaving_date"})
IN_TITLE = re.compile(r"(\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2} [A-Za-z]{3,9} \d{4})")
NO_PUPIL = "The row has no UPN. Add it, so that the marks go to the right pupil."
ODD_UPN = "“{}” is not a UPN: it needs 13 characters. Check it with your system."
_UPN = re.compile(r"[A-Z][0-9]{11}[0-9A-Z]$")


class Cells:
    """Looks cells up by meaning, and reads the few that stand in many rows only once."""

    def __init__(self, sheet: Sheet, meanings: Sequence[str | None], dates: Dates) -> None:
        """Note where each meaning stands. `dates` are the whole file's."""
        self.place = {meaning: number for number, meaning in enumerate(meanings) if meaning}
        self.sheet, self.dates = sheet, dates

    def column(self, meaning: str) -> int:
        """The number of a meaning's column, from 1; 0 where there is none."""
        return self.place.get(meaning, -1) + 1

    def text(self, values: Sequence[str], meaning: str) -> str:
        """A row's cell, clean; empty where there is none."""
        place = self.place.get(meaning)
        return clean(values[place]) if place is not None and place < len(values) else ""

    def key(self, values: Sequence[str]) -> PupilKey:
        """Whom the row is about."""
        surname, forename = self.text(values, "surname"), self.text(values, "forename")
        if not surname and (full := self.text(values, "full_name")):
            surname, _, forename = (part.strip() for part in full.partition(","))
        born = self.text(values, "date_of_birth")
        return PupilKey(
            upn=upn_text(self.text(values, "upn")) or None,
            surname=surname or None,
            forename=forename or None,
            date_of_birth=self.dates[born] if born else None,
            year_group=year_group(self.text(values, "year_group")) if "year_group" in self.place else None,
            registration_group=self.text(values, "registration_group") or None,
            school_number=self.text(values, "school_number").replace("/", "").replace(" ", "") or None,
            local_id=self.text(values, "local_id") or None,
            former_upn=upn_text(self.text(values, "former_upn")) or None,
        )


def date_texts(sheet: Sheet, meanings: Sequence[str | None]) -> Iterator[str]:
    """Every text of a sheet that may be a date: cells of dated columns, headings and titles."""
    for place, meaning in enumerate(meanings):
        if meaning in DATED:
            yield from {clean(text) for text in {values[place] for _, values in sheet.rows if place < len(values)}}
    yield from (strip_half(heading)[0] for heading in sheet.headings)
    yield from (text for title in sheet.titles for text in IN_TITLE.findall(title))


def upn_text(text: str) -> str:
    """A UPN as it is kept: upper case, no spaces."""
    return "".join(text.split()).upper()


def is_upn(text: str) -> bool:
    """Has it the shape of a UPN? Its check letter is another question, and only a warning."""
    return len(text) == UPN_LENGTH and _UPN.match(text) is not None


def fault_in(key: PupilKey) -> tuple[str, str, str | None] | None:
    """Why no mark can be placed for this pupil: kind, what to do, the value; None when it can."""
    if not key.upn:
        return "no-upn", NO_PUPIL, None
    if not is_upn(key.upn):
        return "odd-upn", ODD_UPN.format(key.upn[:20]), key.upn[:20]
    return None


def keyed(entries: Entries, cells: Cells, values: Sequence[str], sheet: int, row: int, filled: int) -> int | None:
    """The pupil of a row, or None after its marks were refused."""
    key = cells.key(values)
    fault = fault_in(key)
    if fault is None:
        return entries.pupil(key)
    kind, message, value = fault
    entries.problem(
        kind,
        message,
        sheet=sheet,
        row=row,
        column=cells.column("upn"),
        column_name="UPN",
        value=value,
        count=filled,
        raw=tuple(values),
    )
    return None
