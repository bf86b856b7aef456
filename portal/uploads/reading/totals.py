"""Totals: the DfE weekly file and census tables, a pupil's sessions counted by others. Never marks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.people import said_in
from portal.uploads.reading.refusals import is_totals_row
from portal.uploads.reading.results import Problem, Reading
from portal.uploads.reading.synonyms import fold_header
from portal.uploads.reading.tables import refuse_too_many
from portal.uploads.reading.tabular import fingerprint_of
from portal.uploads.reading.texts import as_given, plain
from portal.uploads.reading.upn import normalised, shape_problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.tables import Table

#: Span → what is counted → the headers it is known by (folded).
_SPANS: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "dfe-weekly": {
        "academic_term": {
            "possible": ("possiblesessions",),
            "absent": ("absentsessions",),
            "attended": ("presentsessions",),
            "approved": ("approvededucationalactivitysessions",),
            "authorised": ("authorisedabsentsessions",),
            "unauthorised": ("unauthorisedabsentsessions",),
            "full_days_missed": ("fulldaysmissed",),
        }
    },
    "census-csv": {
        "Term": {
            "possible": ("termlysessionspossible",),
            "authorised": ("termlysessionsauthorised",),
            "unauthorised": ("termlysessionsunauthorised",),
            "approved": ("termlysessionseducational",),
            "exceptional": ("termlysessionsexceptional",),
        },
        "Second half of summer term": {
            "possible": ("summerhalfterm2sessionspossible",),
            "authorised": ("summerhalfterm2sessionsauthorised",),
            "unauthorised": ("summerhalfterm2sessionsunauthorised",),
            "approved": ("summerhalfterm2sessionseducational",),
            "exceptional": ("summerhalfterm2sessionsexceptional",),
        },
    },
}
_COUNT = re.compile(r"(\d{1,5})(?:\.0+)?")
_TERM = ("academicterm", "term", "censusterm")
NO_UPN = "This row has no UPN. Enter the pupil's UPN."
NO_COUNT = "Enter the number of possible sessions as a whole number."


def totals_of(tables: Sequence[Table], limits: Limits, facts: Mapping[str, Any]) -> Reading:
    """Read each pupil's totals: `upn`, `span`, `possible`, `absent`, `authorised`, `unauthorised`, `attended` and who it is."""
    rows: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    raw: dict[tuple[int, int], tuple[str, ...]] = {}
    skipped = 0
    for table in tables:
        layout = table.heading.layout
        columns = {fold_header(header): place for place, header in reversed(list(enumerate(table.heading.headers)))}
        for number, said, row in said_in(table, limits):
            if is_totals_row(row):
                skipped += 1
                continue
            found, trouble = _totals(layout, columns, said, row)
            if trouble is None:
                rows += [{"row": number, **one} for one in found]
            else:
                raw[table.sheet, number] = tuple(row)
                problems.append(Problem(trouble[0], table.sheet, number, 0, None, trouble[1], trouble[2]))
                refuse_too_many(problems, limits)
    heading = tables[0].heading
    return Reading(
        heading.layout,
        header=heading.headers,
        columns=heading.columns,
        fingerprint=fingerprint_of(heading),
        title_rows_skipped=heading.title_rows,
        totals_rows_skipped=skipped,
        totals=tuple(rows),
        problems=tuple(problems),
        refused_rows=raw,
        rows_in=len(rows) + len(problems),
        **facts,
    )


def _totals(
    layout: str, columns: Mapping[str, int], said: Mapping[str, str], row: Sequence[str]
) -> tuple[list[dict[str, Any]], tuple[str, str | None, str] | None]:
    upn = normalised(said.get("upn", ""))
    wrong = shape_problem(upn) if upn else NO_UPN
    if wrong:
        return [], ("upn-shape" if upn else "no-upn", said.get("upn"), wrong)
    who = {
        "upn": upn,
        "surname": as_given(said.get("surname", "")) or None,
        "forename": as_given(said.get("forename", "")) or None,
        "date_of_birth": DateReader().read(said.get("date_of_birth", "")).on,
    }
    found = []
    for name, counted in _SPANS[layout].items():
        counts = {what: _count(columns, headers, row) for what, headers in counted.items()}
        if counts["possible"] is not None:
            found.append({**who, "span": _span(name, columns, row), **completed(counts)})
    if not found:
        return [], ("no-total", None, NO_COUNT)
    return found, None


def _span(name: str, columns: Mapping[str, int], row: Sequence[str]) -> str:
    if name != "academic_term":
        return name
    for header in _TERM:
        if header in columns and columns[header] < len(row) and row[columns[header]].strip():
            return as_given(row[columns[header]])
    return "Year to date"


def _count(columns: Mapping[str, int], headers: Sequence[str], row: Sequence[str]) -> int | None:
    for header in headers:
        place = columns.get(header)
        if place is not None and place < len(row):
            found = _COUNT.fullmatch(plain(row[place][:20]))
            return int(found[1]) if found else None
    return None


def completed(counts: Mapping[str, int | None]) -> dict[str, int | None]:
    """The same counts with absent and attended worked out where the file leaves them to be (attended holds approved activity)."""
    possible, absent = counts.get("possible"), counts.get("absent")
    if absent is None and counts.get("authorised") is not None and counts.get("unauthorised") is not None:
        absent = (counts["authorised"] or 0) + (counts["unauthorised"] or 0)
    attended = counts.get("attended")
    if possible is not None and absent is not None:
        attended = possible - absent
    return {**counts, "absent": absent, "attended": attended}
