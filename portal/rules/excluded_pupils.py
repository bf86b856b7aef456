"""An excluded pupil in a public place: a regime of its own, with its own amounts and its own counter.

Education and Inspections Act 2006: section 103 puts a duty on the parent for the first five school days of an
exclusion (all of it, if shorter); section 104 needs a letter first; section 105 allows a notice. Nothing here adds to,
or takes from, the limit on notices for absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.explanations import Fact, Source, counted, in_words
from portal.rules.framework import EXCLUDED_PUPILS
from portal.rules.notices import Power, Status
from portal.rules.policy import DEFAULT_POLICY, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from portal.rules.calendar import Calendar, Span
    from portal.rules.framework import Amounts
    from portal.rules.notices import PreviousNotice

FIRST_DAYS = 5


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pupil seen in a public place in school hours during an exclusion, and when the section 104 letter was given.

    `letter_given_on` is None when there is no letter on file.
    """

    seen_on: date
    exclusion: Span
    letter_given_on: date | None


@dataclass(frozen=True, slots=True)
class ExcludedPupilNotice:
    """Whether a section 105 notice can be considered for one sighting, and what is missing if not."""

    seen_on: date
    available: bool
    because: str
    last_day_of_duty: date | None
    amounts: Amounts
    earlier: int

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if not self.available:
            return f"A notice under section 105 is not available: {self.because}."
        return (
            f"A notice under section 105 may be considered: £{self.amounts.reduced} within 21 days, or "
            f"£{self.amounts.full} within 28. It does not use up the limit on notices for absence."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The dates the answer rests on."""
        last = in_words(self.last_day_of_duty) if self.last_day_of_duty else "not known"
        return (
            Fact("Seen on", in_words(self.seen_on)),
            Fact("Last day the duty applies", last),
            Fact("Earlier notices under section 105", counted(self.earlier, "notice")),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The Act and the regulations on amounts."""
        return EXCLUDED_PUPILS.sources


def days_of_duty(calendar: Calendar, exclusion: Span) -> tuple[date, ...]:
    """The school days on which a parent must keep the pupil out of public places: the first five, or all if fewer."""
    return calendar.school_days((exclusion.first_day, exclusion.last_day))[:FIRST_DAYS]


def excluded_pupil_notice(
    sighting: Sighting,
    calendar: Calendar,
    previous: Iterable[PreviousNotice] = (),
    policy: Policy = DEFAULT_POLICY,
) -> ExcludedPupilNotice:
    """Whether a notice can be considered for a pupil seen in a public place in school hours.

    `previous` is the parent's and child's earlier notices: only section 105 ones are counted, and no limit is applied.
    """
    duty = days_of_duty(calendar, sighting.exclusion)
    earlier = sum(each.power is Power.S105 and each.status is not Status.WITHDRAWN for each in previous)
    because = ""
    if sighting.letter_given_on is None:
        because = "there is no section 104 letter on file"
    elif sighting.letter_given_on > sighting.seen_on:
        because = "the section 104 letter was given after the pupil was seen"
    elif sighting.seen_on not in duty:
        because = "the day is not one of the first five school days of the exclusion"
    return ExcludedPupilNotice(
        sighting.seen_on, not because, because, duty[-1] if duty else None, policy.excluded_pupil_amounts, earlier
    )
