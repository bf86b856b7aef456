"""Tabular layouts: a CSV or a workbook read as long rows, a weekly grid, a date matrix, a pupil list or totals."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading.assembling import Assembled, assemble
from portal.uploads.reading.collecting import collect
from portal.uploads.reading.gathering import Gathered
from portal.uploads.reading.limits import FileRefused
from portal.uploads.reading.proposals import fingerprint
from portal.uploads.reading.results import MarkNote, Problem, Reading
from portal.uploads.reading.synonyms import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from portal.uploads.reading.headings import Heading
    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.tables import Table


def marks_of(tables: Sequence[Table], limits: Limits, facts: Mapping[str, Any], progress: Callable[[int], None] | None) -> Reading:
    """The marks of one or several tables of one layout. `facts` are what is already known of the file (Reading's fields).

    Raises:
        FileRefused: when the file cannot be taken apart.
    """
    gathered = Gathered()
    for table in tables:
        collect(table, gathered, limits, progress)
    if gathered.chunks and len(gathered.code) > 10 * limits.distinct_codes:
        return _asks(tables[0].heading, ("code",), facts)
    work = assemble(gathered, tables, limits)
    if work.lookups.too_many_codes(limits):
        return _asks(tables[0].heading, ("code",), facts)
    return reading_of(work, tables, facts)


def asks_for_mapping(heading: Heading, facts: Mapping[str, Any]) -> Reading:
    """A reading that only says what the columns seem to mean, and what is still missing."""
    return _asks(heading, heading.missing, facts)


def _asks(heading: Heading, missing: tuple[str, ...], facts: Mapping[str, Any]) -> Reading:
    return Reading(
        heading.layout,
        missing_meanings=missing,
        header=heading.headers,
        columns=heading.columns,
        fingerprint=fingerprint_of(heading),
        title_rows_skipped=heading.title_rows,
        **facts,
    )


def fingerprint_of(heading: Heading) -> str:
    """The fingerprint of the columns that may need a person's word: not those whose header is a date."""
    days = {slot.column for slot in heading.slots if slot.day is not None}
    return fingerprint([header for place, header in enumerate(heading.headers, 1) if place not in days])


def reading_of(work: Assembled, tables: Sequence[Table], facts: Mapping[str, Any]) -> Reading:
    """The reading that assembled marks make."""
    heading, entries = tables[0].heading, work.entries
    days, day = days_of(entries.day, work.missing_at)
    identities = work.lookups.identities
    problems = tuple(work.refusals.problems)
    return Reading(
        heading.layout,
        header=heading.headers,
        columns=heading.columns,
        fingerprint=fingerprint_of(heading),
        title_rows_skipped=sum(table.heading.title_rows for table in tables),
        totals_rows_skipped=work.skipped_rows,
        pupils=tuple(identities.pupils),
        dates=days,
        codes=tuple(str(code) for code in work.lookups.codes),
        pupil=entries.pupil,
        day=day,
        session=entries.session.astype(np.uint8),
        code=entries.code.astype(np.int16),
        row=entries.row,
        column=entries.column.astype(np.int16),
        sheet=entries.sheet.astype(np.int16),
        missing=work.missing,
        missing_by=missing_by(work.missing_at),
        notes=_notes(work, day),
        problems=problems,
        warnings=_warnings(work),
        refused_rows=work.refusals.raw,
        rows_in=int(entries.row.size) + sum(problem.entries for problem in problems),
        ambiguous_dates=work.lookups.days.ambiguous,
        **facts,
    )


def days_of(ordinals: NDArray[np.int64], missing_at: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> tuple[tuple[date, ...], NDArray[np.int32]]:
    """The distinct days in order, and each entry's place among them."""
    every = [ordinals, *(days for days, _ in missing_at)]
    some = [one for one in every if one.size]
    if not some:
        return (), np.zeros(0, dtype=np.int32)
    first = min(int(one.min()) for one in some)
    seen = np.zeros(max(int(one.max()) for one in some) - first + 1, dtype=bool)
    for one in some:
        seen[one - first] = True
    place = (np.cumsum(seen) - 1).astype(np.int32)
    days = tuple(date.fromordinal(first + int(offset)) for offset in np.flatnonzero(seen))
    return days, place[ordinals - first]


def missing_by(missing_at: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> dict[tuple[date, int], int]:
    """How many marks are missing, by day and session."""
    if not missing_at:
        return {}
    keys = np.concatenate([days * 2 + sessions for days, sessions in missing_at])
    distinct, counts = np.unique(keys, return_counts=True)
    return {(date.fromordinal(int(key) // 2), int(key) % 2): int(count) for key, count in zip(distinct, counts, strict=True)}


def _notes(work: Assembled, day: NDArray[np.int32]) -> tuple[MarkNote, ...]:
    entries = work.entries
    some = np.flatnonzero((entries.minutes > 0) | (entries.comment >= 0))
    comments = work.lookups.comments
    return tuple(
        MarkNote(
            int(entries.pupil[place]),
            int(day[place]),
            int(entries.session[place]),
            int(entries.minutes[place]) or None,
            comments[int(entries.comment[place])] if entries.comment[place] >= 0 else None,
        )
        for place in some.tolist()
    )


def _warnings(work: Assembled) -> tuple[Problem, ...]:
    """UPNs whose check letter does not fit: kept as sent, told once each."""
    identities = work.lookups.identities
    told: dict[str, Problem] = {}
    keys = list(identities.pupils)
    for number, sentence in identities.odd.items():
        upn = keys[int(identities.place[number])].upn or ""
        told.setdefault(upn, Problem("odd-upn", 0, 0, 0, MEANINGS["upn"], upn, sentence, entries=0))
    return tuple(told.values())


def refuse_too_wide(head: Sequence[Sequence[str]], limits: Limits) -> None:
    """Refuse a table with more columns than limits allow.

    Raises:
        FileRefused: too-many-columns.
    """
    if any(len(row) > limits.columns for row in head):
        raise FileRefused("too-many-columns", f"The file has more than {limits.columns:,} columns. Send one term at a time.")
