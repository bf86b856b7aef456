"""An authority's settings where the law leaves a choice, with defaults.

Each setting is for the authority, or its solicitor, to confirm. The defaults never decide against a family.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.rules.framework import EXCLUDED_PUPILS, Amounts


class Window(StrEnum):
    """How ten school weeks are measured.

    Ten whole weeks, or rolling back from the day, which finds a few more pupils.
    """

    WHOLE_WEEKS = "whole weeks"
    TO_THE_DAY = "rolling to the day"


class Doubt(StrEnum):
    """What to do with an earlier notice that may or may not count."""

    CHECK = "a person checks"
    COUNT = "counted"
    LEAVE_OUT = "not counted"


class TwoSchools(StrEnum):
    """What to do when only two schools' sessions together reach the threshold."""

    REVIEW = "a person decides"
    COMBINE = "the schools are combined"


class Payments(StrEnum):
    """Whether part payments can discharge a notice."""

    IN_FULL = "one payment in full; anything else is checked"
    IN_PARTS = "parts are added up"


class DayKind(StrEnum):
    """The kind of days a period is counted in."""

    SCHOOL = "school days"
    WORKING = "working days"


class MixedDays(StrEnum):
    """When a day with different marks in its two sessions counts as a whole day in a return."""

    EVERY_SESSION = "every session qualifies"
    ONE_SESSION = "one session is enough"


class WithdrawnHoliday(StrEnum):
    """What to do with code H, family holiday agreed, after it ended on 18 August 2024."""

    COUNT = "counted as authorised absence, with a warning"
    REFUSE = "refused: the school enters C or G"


#: In school weeks (Working together to improve school attendance: notices to improve).
SHORTEST_NOTICE_TO_IMPROVE = 3
LONGEST_NOTICE_TO_IMPROVE = 6


@dataclass(frozen=True, slots=True)
class Policy:
    """An authority's settings. Raises ValueError for a notice to improve outside 3 to 6 school weeks."""

    window: Window = Window.WHOLE_WEEKS
    week_starts_on: int = 0
    last_friday_inside: bool = True
    two_schools: TwoSchools = TwoSchools.REVIEW
    anniversary: Doubt = Doubt.CHECK
    acquitted: Doubt = Doubt.CHECK
    issued_for_earlier_absence: Doubt = Doubt.CHECK
    payments: Payments = Payments.IN_FULL
    service_working_days: int = 2
    notice_to_improve_weeks: int = 6
    unexplained_days: int = 5
    unexplained_day_kind: DayKind = DayKind.SCHOOL
    mixed_days: MixedDays = MixedDays.EVERY_SESSION
    new_pupil_days: int = 5
    excluded_pupil_amounts: Amounts = EXCLUDED_PUPILS.first
    withdrawn_holiday: WithdrawnHoliday = WithdrawnHoliday.REFUSE

    def __post_init__(self) -> None:
        """Raise ValueError for settings the law does not allow."""
        if not SHORTEST_NOTICE_TO_IMPROVE <= self.notice_to_improve_weeks <= LONGEST_NOTICE_TO_IMPROVE:
            message = "A notice to improve runs for 3 to 6 school weeks."
            raise ValueError(message)
        if not 0 <= self.week_starts_on <= 6:
            message = "A week starts on a day from 0 (Monday) to 6 (Sunday)."
            raise ValueError(message)


DEFAULT_POLICY = Policy()
