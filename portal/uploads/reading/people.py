"""People: a pupil list in a table, row by row, each a person or a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.uploads.reading.persons import PersonReader, RowRefusedError
from portal.uploads.reading.refusals import is_totals_row
from portal.uploads.reading.results import Problem, Reading
from portal.uploads.reading.tables import refuse_too_many, too_many_rows
from portal.uploads.reading.tabular import fingerprint_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from portal.uploads.reading.limits import Limits
    from portal.uploads.reading.results import Person
    from portal.uploads.reading.tables import Table


def people_of(tables: Sequence[Table], limits: Limits, facts: Mapping[str, Any]) -> Reading:
    """Read a pupil list. Rows that name nobody are left out as footers; rows in = people + refused."""
    reader = PersonReader()
    for table in tables:
        for _, said, _ in said_in(table, limits):
            reader.see(said)
    people: list[Person] = []
    problems: list[Problem] = []
    raw: dict[tuple[int, int], tuple[str, ...]] = {}
    skipped = 0
    for table in tables:
        for number, said, row in said_in(table, limits):
            if is_totals_row(row) and not said.get("upn", "").strip():
                skipped += 1
                continue
            try:
                people.append(reader.read(said, number, table.sheet))
            except RowRefusedError as refused:
                if sum(bool(cell.strip()) for cell in row) == 1:
                    skipped += 1
                    continue
                raw[table.sheet, number] = tuple(row)
                problems.append(problem_of(refused, table, number))
                refuse_too_many(problems, limits)
    heading = tables[0].heading
    return Reading(
        "pupil-list",
        header=heading.headers,
        columns=heading.columns,
        fingerprint=fingerprint_of(heading),
        title_rows_skipped=sum(table.heading.title_rows for table in tables),
        totals_rows_skipped=skipped,
        people=tuple(people),
        problems=tuple(problems),
        warnings=tuple(reader.warnings),
        refused_rows=raw,
        rows_in=len(people) + len(problems),
        ambiguous_dates=any(dates.ambiguous for dates in reader.dates.values()),
        **facts,
    )


def said_in(table: Table, limits: Limits) -> Iterator[tuple[int, dict[str, str], list[str]]]:
    """Each row with something in it: its number, its texts by meaning, and its cells.

    Raises:
        FileRefused: too-many-rows.
    """
    places = table.heading.places
    for number, row in table.rows(after=table.heading.row):
        if number > limits.rows:
            raise too_many_rows(limits)
        if any(map(str.strip, row)):
            yield number, {meaning: row[place - 1] for meaning, place in places.items() if place <= len(row)}, row


def problem_of(refused: RowRefusedError, table: Table, number: int) -> Problem:
    """A refused row as a problem, on the column it is about."""
    column = table.heading.places.get(refused.meaning, 0)
    name = table.heading.headers[column - 1] if column else None
    value = refused.value[:60] if refused.value else refused.value
    return Problem(refused.kind, table.sheet, number, column, name, value, refused.message)
