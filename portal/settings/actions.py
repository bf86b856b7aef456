"""What can be done with settings: give one a new value from a day on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.audit.actions import record
from portal.db.work import action, tx
from portal.jobs import outbox
from portal.platform import clock
from portal.platform.refusals import NotFoundError, RefusedError
from portal.security import scope
from portal.settings import queries
from portal.settings.domain.definitions import BY_NAME
from portal.settings.domain.kinds import WrongValueError
from portal.settings.events import CHANGED
from portal.settings.models import AuthoritySetting

if TYPE_CHECKING:
    from datetime import date

RECOUNT = "registers.recount_out_of_date"
LONGEST_REASON = 500


@action
def set_value(name: str, text: str, *, first_day: date, reason: str) -> None:
    """Give a setting the value typed, from a day on. What held before that day stays in its history.

    Raises:
        NotFoundError: when there is no such setting.
        RefusedError: for a value it does not take or has already, a day that is past, or no reason.
    """
    if name not in BY_NAME:
        raise NotFoundError
    definition = BY_NAME[name]
    try:
        value = definition.kind.read(text)
    except WrongValueError as error:
        raise RefusedError(str(error), "value") from error
    if first_day < clock.today():
        raise RefusedError("Enter today or a later day: what was decided before stays as it was decided.", "first_day")
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise RefusedError(f"Enter the reason, in {LONGEST_REASON} characters or fewer.", "reason")
    if value == queries.value_on(name, first_day):
        raise RefusedError("The setting has this value on that day already.", "value")
    membership_id = scope.current().actor.membership_id
    row = AuthoritySetting(
        name=name, value=value, first_day=first_day, set_at=clock.now(), membership_id=membership_id, reason=reason.strip()
    )
    tx().add(row)
    tx().flush()
    record(CHANGED, row.id, setting=name, value=definition.kind.text(value), first_day=first_day)
    # From a later day on, the daily job of the registers finds the totals out of date by itself.
    if definition.counted and first_day == clock.today():
        outbox.enqueue(RECOUNT)
