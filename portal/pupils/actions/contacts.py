"""Actions on a pupil's contacts: hide an address, or show it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.audit.actions import record
from portal.db.work import action, tx
from portal.platform import clock
from portal.platform.refusals import NotFoundError
from portal.pupils.events import DISCLOSURE_CHANGED
from portal.pupils.models import Contact, PupilContact
from portal.pupils.queries import has_present_interest

if TYPE_CHECKING:
    from uuid import UUID


@action
def change_disclosure(pupil_id: UUID, contact_id: UUID, *, do_not_disclose: bool) -> None:
    """Hide a parent's or carer's address, or show it again. A list can only hide it.

    A school the child has left can do neither: its record stays as it was.

    Raises:
        NotFoundError: when the pupil has no such contact in scope, or has left the actor's schools.
    """
    contacts = select(Contact).join(
        PupilContact, (PupilContact.authority_id == Contact.authority_id) & (PupilContact.contact_id == Contact.id)
    )
    contact = tx().scalar(contacts.where(PupilContact.pupil_id == pupil_id, Contact.id == contact_id))
    if contact is None or not has_present_interest(pupil_id, clock.today()):
        raise NotFoundError
    contact.do_not_disclose = do_not_disclose
    record(DISCLOSURE_CHANGED, contact_id, pupil=pupil_id, do_not_disclose=do_not_disclose)
