"""Recognition: what a file is, by what stands in it and never by its name, and the one way in to reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portal.uploads.reading.headings import CENSUS_DETAIL, PUBLISHED
from portal.uploads.reading.limits import DEFAULT, FileRefused, Limits, refuse_if_too_big
from portal.uploads.reading.synonyms import fold_header
from portal.uploads.reading.tables import TextTable
from portal.uploads.reading.tabular import asks_for_mapping, marks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from portal.uploads.reading.results import Reading


def read(
    content: bytes,
    *,
    mapping: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read a file a school sent, in this process. `mapping` is a person's word for what headers mean ("" for not used).

    `progress` is told the number of rows read so far.

    Raises:
        FileRefused: when the whole file cannot be read; the message says what to do.
    """
    refuse_if_too_big(len(content), limits)
    table = TextTable(content, mapping, limits)
    facts: dict[str, Any] = {"encoding": table.encoding}
    if table.heading.missing:
        return asks_for_mapping(table.heading, facts)
    return marks_of([table], limits, facts, progress)
