"""Which penalty notice, if any, each parent may be given for a child: per parent, per child, two in three years.

Counted by date of issue under section 444A only, whoever issued them, in the three years ending on the proposed date.
Withdrawn notices, and those issued before 19 August 2024, are never counted. Notices about an excluded pupil in a
public place (section 105) have a counter of their own and use up nothing here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.codes import CODES_OF_2024
from portal.rules.explanations import Fact, Source, counted, in_words
from portal.rules.framework import LIMIT_SOURCE, NATIONAL_2024, NATIONAL_SOURCE, SECTION_444A, Amounts
from portal.rules.policy import DEFAULT_POLICY, Doubt, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LIMIT = NATIONAL_2024.limit or 2
LIMIT_YEARS = NATIONAL_2024.limit_years or 3


class Status(StrEnum):
    """What became of a notice."""

    OUTSTANDING = "outstanding"
    PAID = "paid"
    UNPAID = "unpaid"
    WITHDRAWN = "withdrawn"
    PROSECUTED_GUILTY = "prosecuted_guilty"
    PROSECUTED_ACQUITTED = "prosecuted_acquitted"


class Power(StrEnum):
    """The section a notice was given under."""

    S444A = "s444A"
    S105 = "s105"


class Result(StrEnum):
    """The notice a parent may be given, or that a person must check."""

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
    """An earlier notice to one parent about one child. `last_absence_on` is known only for some."""

    parent: str
    child: str
    issued_on: date
    status: Status
    power: Power
    issued_by: str
    last_absence_on: date | None = None


def anniversary(on: date, years: int) -> date:
    """The same day so many years later; for 29 February, 28 February in a year that has none."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return date(on.year + years, 2, 28)


def _ruled_out(notice: PreviousNotice, proposed_on: date) -> Treatment | None:
    if notice.power is not Power.S444A:
        return Treatment.OTHER_POWER
    if notice.status is Status.WITHDRAWN:
        return Treatment.WITHDRAWN
    if notice.issued_on < CODES_OF_2024:
        return Treatment.BEFORE_FRAMEWORK
    if notice.issued_on > proposed_on:
        return Treatment.LATER
    return Treatment.TOO_OLD if anniversary(notice.issued_on, LIMIT_YEARS) < proposed_on else None


def treatments_of(notice: PreviousNotice, proposed_on: date) -> tuple[Treatment, ...]:
    """How the rules treat an earlier notice about the same child to the same parent.

    One reason when it is ruled out, `counted` when it certainly counts, otherwise every doubt about it.
    """
    ruled_out = _ruled_out(notice, proposed_on)
    if ruled_out is not None:
        return (ruled_out,)
    doubts = []
    if anniversary(notice.issued_on, LIMIT_YEARS) == proposed_on:
        doubts.append(Treatment.DOUBT_ANNIVERSARY)
    if notice.status is Status.PROSECUTED_ACQUITTED:
        doubts.append(Treatment.DOUBT_ACQUITTED)
    if notice.last_absence_on is not None and notice.last_absence_on < CODES_OF_2024:
        doubts.append(Treatment.DOUBT_EARLIER_ABSENCE)
    return tuple(doubts) or (Treatment.COUNTED,)


def _settled(treatments: tuple[Treatment, ...], policy: Policy) -> Doubt:
    settings = {
        Treatment.COUNTED: Doubt.COUNT,
        Treatment.DOUBT_ANNIVERSARY: policy.anniversary,
        Treatment.DOUBT_ACQUITTED: policy.acquitted,
        Treatment.DOUBT_EARLIER_ABSENCE: policy.issued_for_earlier_absence,
    }
    said = {settings.get(treatment, Doubt.LEAVE_OUT) for treatment in treatments}
    return next(each for each in (Doubt.LEAVE_OUT, Doubt.CHECK, Doubt.COUNT) if each in said)


def _result(number: int) -> Result:
    if number >= LIMIT:
        return Result.NOT_AVAILABLE
    return Result.SECOND if number else Result.FIRST


def _amounts(result: Result) -> Amounts | None:
    if result is Result.FIRST:
        return NATIONAL_2024.first
    return NATIONAL_2024.second if result is Result.SECOND else None


@dataclass(frozen=True, slots=True)
class Notice:
    """The answer for one parent and one child, with how each earlier notice to them was treated."""

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
        window = f"in the three years to {in_words(self.proposed_on)}"
        if self.result is Result.CHECK:
            return (
                f"{counted(self.certain, 'notice').capitalize()} certainly to count {window}, "
                f"and {counted(self.doubtful, 'notice')} that may count. "
                "That changes the answer, so a person checks before anything is decided."
            )
        had = f"{counted(self.certain, 'counted notice').capitalize()} for this child {window}."
        if self.amounts is None:
            return f"{had} A third is not available: other support or another route is considered."
        if self.amounts.is_flat:
            return f"{had} A second notice may be considered: £{self.amounts.full}, due within 28 days."
        return (
            f"{had} A first notice may be considered: £{self.amounts.reduced} within 21 days, "
            f"or £{self.amounts.full} within 28 days."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each earlier notice and how it was treated."""
        return (
            Fact("Parent", self.parent),
            Fact("Child", self.child),
            Fact("Proposed date", in_words(self.proposed_on)),
            *(
                Fact(f"Notice issued {in_words(notice.issued_on)} by {notice.issued_by}", "; ".join(treatments))
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
) -> Notice:
    """Which notice one parent may be given for one child on the proposed date.

    Notices in doubt (a third anniversary on the day itself, an acquittal, issue after 19 August 2024 for absence before
    it) give `check` when counting them or not would change the result, unless the policy settles them.
    """
    earlier = tuple(
        (notice, treatments_of(notice, proposed_on))
        for notice in sorted(previous, key=lambda each: each.issued_on)
        if notice.parent == parent and notice.child == child
    )
    found = Counter(_settled(treatments, policy) for _, treatments in earlier)
    certain, doubtful = found[Doubt.COUNT], found[Doubt.CHECK]
    low, high = _result(certain), _result(certain + doubtful)
    result = low if low is high else Result.CHECK
    return Notice(parent, child, proposed_on, result, _amounts(result), certain, doubtful, earlier)


def notices_for(
    parents: Sequence[str],
    child: str,
    proposed_on: date,
    previous: Sequence[PreviousNotice],
    policy: Policy = DEFAULT_POLICY,
) -> tuple[Notice, ...]:
    """The answer for each parent, in the order given: each is counted alone."""
    return tuple(notice_for(parent, child, proposed_on, previous, policy) for parent in parents)
