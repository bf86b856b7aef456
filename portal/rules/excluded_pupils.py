"""Notices for an excluded pupil in a public place, which have their own amounts and counter.

Education and Inspections Act 2006: section 103 puts a duty on the parent for the first five school days of an
exclusion (all of it, if shorter); section 104 needs a letter first; section 105 allows a notice. Nothing here adds to,
or takes from, the limit on notices for absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, pluralise
from portal.rules.framework import EXCLUDED_PUPILS
from portal.rules.notices import Power, Status
from portal.rules.policy import DEFAULT_POLICY, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from portal.rules.calendar import Calendar, Span
    from portal.rules.framework import Amounts
    from portal.rules.notices import PreviousNotice

#: Education and Inspections Act 2006, section 103: the duty lasts for the first five school days of an exclusion.
DUTY_DAYS = 5


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pupil seen in a public place in school hours during an exclusion.

    `letter_given_on` is the day of the section 104 letter, None when there is no letter on file.
    """

    seen_on: date
    exclusion: Span
    letter_given_on: date | None


@dataclass(frozen=True, slots=True)
class ExcludedPupilNotice:
    """Whether a section 105 notice can be considered for one sighting, and if not, the reason.

    `earlier_count` is how many section 105 notices the parent has had that were not withdrawn.
    """

    seen_on: date
    available: bool
    reason: str
    last_day_of_duty: date | None
    amounts: Amounts
    earlier_count: int

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if not self.available:
            return f"A notice under section 105 is not available: {self.reason}."
        return (
            f"A notice under section 105 may be considered: £{self.amounts.reduced} within 21 days, or "
            f"£{self.amounts.full} within 28. It does not use up the limit on notices for absence."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The dates the answer rests on."""
        last_day = date_in_words(self.last_day_of_duty) if self.last_day_of_duty else "not known"
        return (
            Fact("Seen on", date_in_words(self.seen_on)),
            Fact("Last day the duty applies", last_day),
            Fact("Earlier notices under section 105", pluralise(self.earlier_count, "notice")),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The Act and the regulations on amounts."""
        return EXCLUDED_PUPILS.sources


def days_of_duty(calendar: Calendar, exclusion: Span) -> tuple[date, ...]:
    """The school days, at most five, on which a parent must keep the pupil out of public places."""
    return calendar.school_days((exclusion.first_day, exclusion.last_day))[:DUTY_DAYS]


def excluded_pupil_notice(
    sighting: Sighting,
    calendar: Calendar,
    previous: Iterable[PreviousNotice] = (),
    policy: Policy = DEFAULT_POLICY,
) -> ExcludedPupilNotice:
    """Whether a notice can be considered for a pupil seen in a public place in school hours.

    `previous` are earlier notices to the parent about the child. Only those under section 105 are counted, and no
    limit is applied.
    """
    duty = days_of_duty(calendar, sighting.exclusion)
    earlier_count = sum(notice.power is Power.S105 and notice.status is not Status.WITHDRAWN for notice in previous)
    reason = ""
    if sighting.letter_given_on is None:
        reason = "there is no section 104 letter on file"
    elif sighting.letter_given_on > sighting.seen_on:
        reason = "the section 104 letter was given after the pupil was seen"
    elif sighting.seen_on not in duty:
        reason = "the day is not one of the first five school days of the exclusion"
    return ExcludedPupilNotice(
        seen_on=sighting.seen_on,
        available=not reason,
        reason=reason,
        last_day_of_duty=duty[-1] if duty else None,
        amounts=policy.excluded_pupil_amounts,
        earlier_count=earlier_count,
    )
