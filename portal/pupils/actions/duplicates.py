"""Actions on a school's possible duplicates: a person decides whether two records are one child."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select

from portal.audit.actions import record
from portal.db.work import action, tx
from portal.jobs.outbox import enqueue
from portal.platform import clock
from portal.platform.refusals import ConflictError, NotFoundError
from portal.pupils.actions.lists import lock_roll, write_list
from portal.pupils.domain.incoming import pupil_from_json
from portal.pupils.domain.roll_lines import RollYear
from portal.pupils.events import DECIDED
from portal.pupils.models import PossibleDuplicate
from portal.pupils.queries import lines_of
from portal.security import scope

if TYPE_CHECKING:
    from uuid import UUID

#: The job that counts a school's year again after its roll changed.
RECOUNT = "registers.recount"


class Decision(StrEnum):
    """A person's answer to a possible duplicate."""

    SAME = "same"
    DIFFERENT = "different"


@action
def decide(question_id: UUID, decision: Decision) -> UUID:
    """Decide a possible duplicate.

    The same child: the incoming values join the existing pupil. Different children: a new pupil is added. Either way the
    pupil gets a line on the school's roll, and the next list follows the decision. Returns the pupil.

    Raises:
        NotFoundError: when no such question is in scope.
        ConflictError: when it was decided before.
    """
    # Locked, so that two people deciding at once cannot add the pupil twice.
    question = tx().scalar(select(PossibleDuplicate).where(PossibleDuplicate.id == question_id).with_for_update())
    if question is None:
        raise NotFoundError
    if question.decided_at is not None:
        raise ConflictError("Somebody else decided this already.")
    lowest_age = lock_roll(question.school_id)[0]
    pupil = pupil_from_json(question.incoming)
    lines = lines_of(question.school_id, question.academic_year)
    year = RollYear.of(question.school_id, question.academic_year, lowest_age, lines, [pupil])
    is_new = decision is Decision.DIFFERENT
    pupil_id = uuid4() if is_new else question.pupil_id
    write_list(year, [(pupil_id, pupil)], {pupil_id} if is_new else set())
    _close(question, decision, pupil_id)
    enqueue(RECOUNT, school_id=question.school_id, academic_year=str(question.academic_year))
    return pupil_id


def _close(question: PossibleDuplicate, decision: Decision, resolved_id: UUID) -> None:
    """Mark the question decided, together with any other waiting about the same incoming pupil."""
    undecided = select(PossibleDuplicate).where(
        PossibleDuplicate.school_id == question.school_id,
        PossibleDuplicate.match_key == question.match_key,
        PossibleDuplicate.decided_at.is_(None),
    )
    for waiting in tx().scalars(undecided):
        waiting.decided_at, waiting.decided_by = clock.now(), scope.current().actor.person_id
        waiting.decision, waiting.resolved_pupil_id = decision.value, resolved_id
        record(
            DECIDED,
            waiting.id,
            school=waiting.school_id,
            decision=decision.value,
            compared_with=waiting.pupil_id,
            became=resolved_id,
        )
