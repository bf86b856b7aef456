"""Which penalty notice, if any, each parent may be given for a child.

At most two in three years. Notices are counted for each parent and child, by date of issue, under section 444A only
and by any issuer, in the three years ending on the proposed date. Withdrawn notices, and those issued before 19 August
2024, are never counted. Notices about an excluded pupil in a public place (section 105) have their own counter and do
not affect this one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.codes import REGULATIONS_START
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, pluralise
from portal.rules.framework import LIMIT_SOURCE, NATIONAL_2024, NATIONAL_SOURCE, SECTION_444A, Amounts
from portal.rules.policy import DEFAULT_POLICY, Doubt, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: From the framework, which names the source. Its fields are optional only for older rules.
LIMIT = NATIONAL_2024.limit or 2
LIMIT_YEARS = NATIONAL_2024.limit_years or 3


class Status(StrEnum):
    """The outcome of a notice so far."""

    OUTSTANDING = "outstanding"
    PAID = "paid"
    UNPAID = "unpaid"
    WITHDRAWN = "withdrawn"
    PROSECUTED_GUILTY = "prosecuted_guilty"
    PROSECUTED_ACQUITTED = "prosecuted_acquitted"


class Power(StrEnum):
    """The section of the law that a notice was given under."""

    S444A = "s444A"
    S105 = "s105"


class Result(StrEnum):
    """The notice a parent may be given, none, or that a person must check."""

    FIRST = "first"
    SECOND = "second"
    NOT_AVAILABLE = "not_available"
    CHECK = "check"


class Treatment(StrEnum):
    """How an earlier notice was treated, and why."""

    COUNTED = "counted"
    DOUBT_ANNIVERSARY = "in doubt: the proposed date is its third anniversary"
    DOUBT_ACQUITTED = "in doubt: it ended in acquittal"
    DOUBT_EARLIER_ABSENCE = "in doubt: issued after 19 August 2024 for absence before it"
    WITHDRAWN = "not counted: withdrawn"
    BEFORE_FRAMEWORK = "not counted: issued before 19 August 2024"
    TOO_OLD = "not counted: more than three years before the proposed date"
    LATER = "not counted: issued after the proposed date"
    OTHER_POWER = "not counted: an excluded-pupil notice has its own counter"


@dataclass(frozen=True, slots=True)
class PreviousNotice:
    """An earlier notice to one parent about one child.

    `last_absence_on` is the last day of absence it was for, None where not known.
    """

    parent: str
    child: str
    issued_on: date
    status: Status
    power: Power
    issued_by: str
    last_absence_on: date | None = None


def anniversary(on: date, years: int) -> date:
    """The same day some years later. For 29 February, 28 February in a year that has none."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return date(on.year + years, 2, 28)


def _reason_not_counted(notice: PreviousNotice, proposed_on: date) -> Treatment | None:
    if notice.power is not Power.S444A:
        return Treatment.OTHER_POWER
    if notice.status is Status.WITHDRAWN:
        return Treatment.WITHDRAWN
    if notice.issued_on < REGULATIONS_START:
        return Treatment.BEFORE_FRAMEWORK
    if notice.issued_on > proposed_on:
        return Treatment.LATER
    return Treatment.TOO_OLD if anniversary(notice.issued_on, LIMIT_YEARS) < proposed_on else None


def treatments_of(notice: PreviousNotice, proposed_on: date) -> tuple[Treatment, ...]:
    """How the rules treat an earlier notice about the same child to the same parent.

    One reason when it does not count, `counted` when it certainly counts, otherwise every doubt about it.
    """
    reason = _reason_not_counted(notice, proposed_on)
    if reason is not None:
        return (reason,)
    doubts = []
    if anniversary(notice.issued_on, LIMIT_YEARS) == proposed_on:
        doubts.append(Treatment.DOUBT_ANNIVERSARY)
    if notice.status is Status.PROSECUTED_ACQUITTED:
        doubts.append(Treatment.DOUBT_ACQUITTED)
    if notice.last_absence_on is not None and notice.last_absence_on < REGULATIONS_START:
        doubts.append(Treatment.DOUBT_EARLIER_ABSENCE)
    return tuple(doubts) or (Treatment.COUNTED,)


def _decision(treatments: tuple[Treatment, ...], policy: Policy) -> Doubt:
    setting_of = {
        Treatment.COUNTED: Doubt.COUNT,
        Treatment.DOUBT_ANNIVERSARY: policy.anniversary,
        Treatment.DOUBT_ACQUITTED: policy.acquitted,
        Treatment.DOUBT_EARLIER_ABSENCE: policy.issued_for_earlier_absence,
    }
    settings = {setting_of.get(treatment, Doubt.LEAVE_OUT) for treatment in treatments}
    # A notice counts only when every doubt about it is settled as counted, so the first of these that applies wins.
    return next(setting for setting in (Doubt.LEAVE_OUT, Doubt.CHECK, Doubt.COUNT) if setting in settings)


def _result(earlier_count: int) -> Result:
    if earlier_count >= LIMIT:
        return Result.NOT_AVAILABLE
    return Result.SECOND if earlier_count else Result.FIRST


def _amounts(result: Result) -> Amounts | None:
    if result is Result.FIRST:
        return NATIONAL_2024.first
    return NATIONAL_2024.second if result is Result.SECOND else None


@dataclass(frozen=True, slots=True)
class NoticeAnswer:
    """The answer for one parent and one child, with how each earlier notice was treated.

    `certain` is how many earlier notices count, `doubtful` how many may count.
    """

    parent: str
    child: str
    proposed_on: date
    result: Result
    amounts: Amounts | None
    certain: int
    doubtful: int
    earlier: tuple[tuple[PreviousNotice, tuple[Treatment, ...]], ...]

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        window = f"in the three years to {date_in_words(self.proposed_on)}"
        if self.result is Result.CHECK:
            return (
                f"{pluralise(self.certain, 'notice').capitalize()} certainly to count {window}, "
                f"and {pluralise(self.doubtful, 'notice')} that may count. "
                "That changes the answer, so a person checks before anything is decided."
            )
        history = f"{pluralise(self.certain, 'counted notice').capitalize()} for this child {window}."
        if self.amounts is None:
            return f"{history} A third is not available: other support or another route is considered."
        if self.amounts.is_flat:
            return f"{history} A second notice may be considered: £{self.amounts.full}, due within 28 days."
        return (
            f"{history} A first notice may be considered: £{self.amounts.reduced} within 21 days, "
            f"or £{self.amounts.full} within 28 days."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each earlier notice and how it was treated."""
        return (
            Fact("Parent", self.parent),
            Fact("Child", self.child),
            Fact("Proposed date", date_in_words(self.proposed_on)),
            *(
                Fact(f"Notice issued {date_in_words(notice.issued_on)} by {notice.issued_by}", "; ".join(treatments))
                for notice, treatments in self.earlier
            ),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulations and guidance on amounts and the limit."""
        return (NATIONAL_SOURCE, LIMIT_SOURCE, SECTION_444A)


def notice_for(
    parent: str,
    child: str,
    proposed_on: date,
    previous: Iterable[PreviousNotice],
    policy: Policy = DEFAULT_POLICY,
) -> NoticeAnswer:
    """Which notice one parent may be given for one child on the proposed date.

    Some notices are in doubt: the proposed date is their third anniversary, they ended in acquittal, or they were issued
    after 19 August 2024 for absence before it. They give `check` when counting them or not would change the result,
    unless the policy settles them.
    """
    earlier = tuple(
        (notice, treatments_of(notice, proposed_on))
        for notice in sorted(previous, key=lambda notice: notice.issued_on)
        if notice.parent == parent and notice.child == child
    )
    decisions = Counter(_decision(treatments, policy) for _, treatments in earlier)
    certain, doubtful = decisions[Doubt.COUNT], decisions[Doubt.CHECK]
    # The result only ever moves one way as notices are added, so comparing none with all of the doubtful is enough.
    without_doubtful, with_doubtful = _result(certain), _result(certain + doubtful)
    result = without_doubtful if without_doubtful is with_doubtful else Result.CHECK
    return NoticeAnswer(parent, child, proposed_on, result, _amounts(result), certain, doubtful, earlier)


def notices_for(
    parents: Sequence[str],
    child: str,
    proposed_on: date,
    previous: Sequence[PreviousNotice],
    policy: Policy = DEFAULT_POLICY,
) -> tuple[NoticeAnswer, ...]:
    """The answer for each parent, in the order given. Each parent's notices are counted alone."""
    return tuple(notice_for(parent, child, proposed_on, previous, policy) for parent in parents)
