"""Wrong engines for ages and time limits: the reference with a single step done wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.rules.calendars import ONE_DAY
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from tests.rules.casebook.building import Json


class TermAfterBirthday(Engine):
    """A birthday on a prescribed day waits for the next one."""

    def first_day(self, dob: date) -> date:
        """Strictly after."""
        return super().first_day(dob + ONE_DAY)


class FirstOfTheMonth(Engine):
    """The age starts on the first day of the term's month, not the prescribed day."""

    def first_day(self, dob: date) -> date:
        """The day after."""
        return super().first_day(dob) + ONE_DAY


class CalendarYearOfSixteen(Engine):
    """The June of the calendar year of the sixteenth birthday."""

    def last_day(self, dob: date) -> date:
        """The same June for every month of birth."""
        return super().last_day(dob.replace(month=1, day=1))


class LastSchoolDayInJune(Engine):
    """The last weekday in June."""

    def last_day(self, dob: date) -> date:
        """Any weekday."""
        on = date(super().last_day(dob).year, 6, 30)
        while on.isoweekday() > 5:
            on -= ONE_DAY
        return on


class ExclusiveEnd(Engine):
    """The last day itself is left out."""

    def is_of_age(self, dob: date, on: date) -> bool:
        """Strictly before."""
        return self.first_day(dob) <= on < self.last_day(dob)


class HundredAndEightyTwoDays(Engine):
    """Six months of 182 days."""

    def last_day_to_lay(self, offence: date) -> date:
        """By days."""
        return offence + timedelta(days=182)


class OffenceDayCounted(Engine):
    """The day of the offence is counted as the first day."""

    def last_day_to_lay(self, offence: date) -> date:
        """A day less."""
        return super().last_day_to_lay(offence) - ONE_DAY


class OverflowsToNextMonth(Engine):
    """A day the month does not have becomes a day of the next month."""

    def last_day_to_lay(self, offence: date) -> date:
        """31 February is 3 March."""
        last = super().last_day_to_lay(offence)
        return last + (offence.day - last.day) * ONE_DAY


class MonthEndToMonthEnd(Engine):
    """The last day of a month leads to the last day of another."""

    def last_day_to_lay(self, offence: date) -> date:
        """28 February to 31 August."""
        last = super().last_day_to_lay(offence)
        at_end = (offence + ONE_DAY).day == 1
        while at_end and (last + ONE_DAY).day != 1:
            last += ONE_DAY
        return last


class LimitMoved(Engine):
    """A last day on a weekend or holiday is moved to the next working day."""

    def last_day_to_lay(self, offence: date) -> date:
        """To a working day."""
        last = super().last_day_to_lay(offence)
        while not self.is_working_day(last):
            last += ONE_DAY
        return last


class LastDayOutOfTime(Engine):
    """Laying on the last day is out of time."""

    def is_in_time(self, laid: date, last_day: date) -> bool:
        """Strictly before."""
        return laid < last_day


class OneLimitForAll(Engine):
    """The latest limit is used for all offences."""

    def time_limit(self, case: Json) -> Json:
        """In time if any offence is."""
        answer = super().time_limit(case)
        in_time = any(offence["in_time"] for offence in answer["offences"]) or not answer["offences"]
        return {**answer, "all_in_time": in_time}


#: Each wrong engine, and a case that catches it.
CAUGHT: dict[type[Engine], str] = {
    TermAfterBirthday: "C-2015-03-31",
    FirstOfTheMonth: "C-2014-03-10",
    CalendarYearOfSixteen: "C-2015-09-01",
    LastSchoolDayInJune: "C-2010-03-10",
    ExclusiveEnd: "C-2010-03-10",
    HundredAndEightyTwoDays: "L-2025-01-15-last-day",
    OffenceDayCounted: "L-2025-01-15-last-day",
    OverflowsToNextMonth: "L-2025-08-31-last-day",
    MonthEndToMonthEnd: "L-2025-02-28-day-after",
    LimitMoved: "L-2025-06-25-day-after",
    LastDayOutOfTime: "L-2025-01-15-last-day",
    OneLimitForAll: "L-several",
}
