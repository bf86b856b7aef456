"""Rows of a table: cells looked up by meaning, and the pupil of a row."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal.pupils.domain.incoming import UPN_LENGTH
from portal.tabular.cells import clean, clean_value
from portal.uploads.domain.reading.parsing import Dates, year_group
from portal.uploads.domain.reading.result import PupilKey
from portal.uploads.domain.reading.tables import strip_half

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from portal.uploads.domain.reading.builder import ReadingBuilder
    from portal.uploads.domain.reading.tables import Sheet

DATE_MEANINGS = frozenset({"date", "week_commencing", "date_of_birth", "admission_date", "leaving_date"})
#: Names and free text, which may begin with an apostrophe of their own.
TEXT_MEANINGS = frozenset(
    {"surname", "forename", "full_name", "middle_names", "comment", "address"}
    | {f"parent{number}_{part}" for number in (1, 2, 3) for part in ("name", "address")}
)
DATE_IN_TITLE = re.compile(
    r"((?:\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2} [A-Za-z]{3,9} \d{4})"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)"
)
NO_PUPIL = "The row has no UPN. Add it, so that the marks go to the right pupil."
ODD_UPN = "“{}” is not a UPN: it needs 13 characters. Check it with your system."
_UPN = re.compile(r"[A-Z][0-9]{11}[0-9A-Z]$")


class CellReader:
    """Looks up the cells of a row by meaning."""

    def __init__(self, sheet: Sheet, meanings: Sequence[str | None], dates: Dates) -> None:
        """Record the column of each meaning. `dates` are those of the whole file."""
        self.columns = {meaning: number for number, meaning in enumerate(meanings) if meaning}
        self.sheet, self.dates = sheet, dates

    def column_number(self, meaning: str) -> int:
        """The number of a meaning's column, from 1; 0 if there is none."""
        return self.columns.get(meaning, -1) + 1

    def text(self, values: Sequence[str], meaning: str) -> str:
        """A row's cell, cleaned; empty if there is none."""
        column = self.columns.get(meaning)
        if column is None or column >= len(values):
            return ""
        text = clean(values[column])
        return clean_value(text) if text.startswith("'") and meaning not in TEXT_MEANINGS else text

    def pupil_key(self, values: Sequence[str]) -> PupilKey:
        """The pupil the row names."""
        surname, forename = self.text(values, "surname"), self.text(values, "forename")
        if not surname and (full := self.text(values, "full_name")):
            surname, _, forename = (part.strip() for part in full.partition(","))
        birth = self.text(values, "date_of_birth")
        return PupilKey(
            upn=upn_text(self.text(values, "upn")) or None,
            surname=surname or None,
            forename=forename or None,
            date_of_birth=self.dates[birth] if birth else None,
            year_group=year_group(self.text(values, "year_group")) if "year_group" in self.columns else None,
            registration_group=self.text(values, "registration_group") or None,
            school_number=self.text(values, "school_number").replace("/", "").replace(" ", "") or None,
            local_id=self.text(values, "local_id") or None,
            former_upn=upn_text(self.text(values, "former_upn")) or None,
        )


def date_texts(sheet: Sheet, meanings: Sequence[str | None]) -> Iterator[Collection[str]]:
    """The texts of a sheet that may be dates, by column. Headings and titles count as columns."""
    for column, meaning in enumerate(meanings):
        if meaning in DATE_MEANINGS:
            yield {clean_value(text) for text in {values[column] for _, values in sheet.rows if column < len(values)}}
    yield [strip_half(heading)[0] for heading in sheet.headings]
    yield [text for title in sheet.titles for text in DATE_IN_TITLE.findall(title)]


def upn_text(text: str) -> str:
    """A UPN as it is stored: upper case, no spaces."""
    return "".join(clean_value(text).split()).upper()


def is_upn(text: str) -> bool:
    """Whether the text has the form of a UPN. A wrong check letter is only a warning, given elsewhere."""
    return len(text) == UPN_LENGTH and _UPN.match(text) is not None


def upn_fault(key: PupilKey) -> tuple[str, str, str | None] | None:
    """Why this pupil's marks are rejected: kind, what to do, value; None if the UPN is usable."""
    if not key.upn:
        return "no-upn", NO_PUPIL, None
    if not is_upn(key.upn):
        return "odd-upn", ODD_UPN.format(key.upn[:20]), key.upn[:20]
    return None


def pupil_of_row(
    builder: ReadingBuilder, cells: CellReader, values: Sequence[str], sheet: int, row: int, mark_count: int
) -> int | None:
    """The index of the row's pupil; None if they cannot be identified and the marks are rejected."""
    key = cells.pupil_key(values)
    fault = upn_fault(key)
    if fault is None:
        return builder.pupil_index(key)
    kind, message, value = fault
    builder.add_problem(
        kind,
        message,
        sheet=sheet,
        row=row,
        column=cells.column_number("upn"),
        column_name="UPN",
        value=value,
        count=mark_count,
        raw=tuple(values),
    )
    return None
