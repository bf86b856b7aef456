"""The lists beside a preview, a page at a time, with the pupils' names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from portal.pupils.queries import names_of
from portal.uploads import queries
from portal.web.paging import paginate

if TYPE_CHECKING:
    from uuid import UUID

    from portal.uploads.domain.preview_lists import MarkChange
    from portal.web.paging import Page, Position


class NamedChange(NamedTuple):
    """A change of a mark, and the pupil's name."""

    change: MarkChange
    name: str


class NotInFile(NamedTuple):
    """A pupil on roll who is not in the file."""

    pupil_id: UUID
    name: str


def changes(upload_id: UUID, position: Position) -> Page[NamedChange]:
    """A page of the marks a file changes. New pupils have no record yet: their names come from the file."""
    lists = queries.preview_lists_of(upload_id)
    page = paginate(lists.changes, position, lambda change: change.number)
    names = {pupil.pupil_id: pupil.name for pupil in lists.new_pupils} | names_of({change.pupil_id for change in page.items})
    return page.of([NamedChange(change, names.get(change.pupil_id, "")) for change in page.items])


def not_in_file(upload_id: UUID, position: Position) -> Page[NotInFile]:
    """A page of the pupils who are not in the file, in the order of the roll."""
    page = paginate(queries.preview_lists_of(upload_id).not_in_file, position, lambda pupil_id: pupil_id)
    names = names_of(page.items)
    return page.of([NotInFile(pupil_id, names.get(pupil_id, "")) for pupil_id in page.items])
