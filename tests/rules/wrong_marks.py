"""Wrong engines for what counts: closures, codes, age, corrections and sessions dealt with already."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rules.almanac import day
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json
    from tests.rules.reference import Mark, Session

WEEK = timedelta(days=7)


class ClosedDaysCounted(Engine):
    """INSET days and holidays counted when a mark is there."""

    def is_session(self, on: date, half: str, met: list[Session]) -> bool:
        """Any weekday."""
        return bool(met) and bool(half) and on.isoweekday() <= 5 and self.week(on) in {self.week(each) for each, _ in met}


class EveryMarkCounted(Engine):
    """Marks outside the calendar counted, their weeks too."""

    def is_session(self, on: date, half: str, met: list[Session]) -> bool:
        """Anything."""
        del on, half, met
        return True

    def weeks_of(self, sessions: list[Session], school: Json) -> list[date]:
        """The school's weeks and the marks'."""
        marked = {self.week(day(each["date"])) for each in school["attendance"]}
        return sorted({*super().weeks_of(sessions, school), *marked})


class HalfClosureClosesTheDay(Engine):
    """A morning closed closes the afternoon."""

    def is_closed(self, calendar: Json, on: date, half: str) -> bool:
        """Either half."""
        del half
        return super().is_closed(calendar, on, "AM") or super().is_closed(calendar, on, "PM")


class HalfClosureIgnored(Engine):
    """Only whole days close."""

    def is_closed(self, calendar: Json, on: date, half: str) -> bool:
        """Both halves."""
        del half
        return super().is_closed(calendar, on, "AM") and super().is_closed(calendar, on, "PM")


class WeekendsDropped(Engine):
    """Schools meet from Monday to Friday, whatever the calendar says."""

    def sessions_of(self, calendar: Json) -> list[Session]:
        """Weekdays only."""
        return [each for each in super().sessions_of(calendar) if each[0].isoweekday() <= 5]


class MarksCloseSchool(Engine):
    """A week marked # or Y4 is not a school week."""

    def weeks_of(self, sessions: list[Session], school: Json) -> list[date]:
        """Weeks not wholly marked shut."""
        shut = {(day(each["date"]), each["session"]) for each in school["attendance"] if each["code"] in {"#", "Y4"}}
        return super().weeks_of([each for each in sessions if each not in shut], school)


class NIgnored(Engine):
    """N waits for a reason."""

    codes = frozenset("GOU")


class UIgnored(Engine):
    """The pupil came in, so U is presence."""

    codes = frozenset("GNO")


class HolidayOnly(Engine):
    """Only holidays."""

    codes = frozenset("G")


class LateCounted(Engine):
    """L and U are both late."""

    codes = frozenset("GNOUL")


class PartTimeCounted(Engine):
    """C2 reads as an absence."""

    codes = frozenset(("G", "N", "O", "U", "C2"))


class EveryAbsence(Engine):
    """All absence, authorised too."""

    codes = frozenset(("G", "N", "O", "U", "I", "C", "C1", "C2", "E", "J1", "M", "R", "S", "T", "H", "F"))


class NotPossibleCounted(Engine):
    """D, X, Q and Y taken for absence."""

    codes = frozenset(("G", "N", "O", "U", "D", "X", "Q", "Y", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"))


class DaysNotSessions(Engine):
    """Ten days."""

    def number_in(self, marks: list[Mark], run: list[date]) -> int:
        """How many days."""
        return len({on for on, _, _ in marks if self.week(on) in run})


class WholeDaysTwice(Engine):
    """Any absence takes the whole day: two sessions."""

    def number_in(self, marks: list[Mark], run: list[date]) -> int:
        """Two a day."""
        return 2 * len({on for on, _, _ in marks if self.week(on) in run})


class OneAfterAnother(Engine):
    """Ten in a row, with no attendance between."""

    def tenth(self, marks: list[Mark], weeks: list[date]) -> Mark | None:
        """Ten on days one after another."""
        for place in range(9, len(marks)):
            if (marks[place][0] - marks[place - 9][0]).days <= 6:
                return super().tenth(marks[: place + 1], weeks)
        return None


class AgeIgnored(Engine):
    """Every registered pupil."""

    def is_of_age(self, dob: date, on: date) -> bool:
        """Always."""
        del dob, on
        return True


class AgeFromBirthdays(Engine):
    """From the fifth birthday to the sixteenth."""

    def is_of_age(self, dob: date, on: date) -> bool:
        """Between birthdays."""
        return self.birthday(dob, 5) <= on < self.birthday(dob, 16)


class LastFridayOutside(Engine):
    """The age ends before the last Friday in June."""

    def is_of_age(self, dob: date, on: date) -> bool:
        """Strictly before."""
        return self.first_day(dob) <= on < self.last_day(dob)


class EndOfJune(Engine):
    """The age ends on 30 June."""

    def last_day(self, dob: date) -> date:
        """30 June."""
        return super().last_day(dob).replace(day=30)


class DealtWithIgnored(Engine):
    """Counts the same sessions again."""

    def is_gone(self, on: date, half: str, dealt_with: list[Session]) -> bool:
        """Never."""
        del on, half, dealt_with
        return False


class DealtWithByDay(Engine):
    """One session dealt with takes the whole day."""

    def is_gone(self, on: date, half: str, dealt_with: list[Session]) -> bool:
        """Either half."""
        del half
        return on in {each for each, _ in dealt_with}


class CorrectionsIgnored(Engine):
    """The first mark stands."""

    def standing(self, school: Json) -> dict[Session, str]:
        """As first made."""
        return super().standing({**school, "amendments": []})


class LastListedStands(Engine):
    """The last correction in the list stands."""

    def standing(self, school: Json) -> dict[Session, str]:
        """By place in the list."""
        made = [{**each, "amended_on": "2026-01-01"} for each in school.get("amendments") or []]
        return super().standing({**school, "amendments": made})


class FirstCorrectionStands(Engine):
    """The earliest correction stands."""

    def standing(self, school: Json) -> dict[Session, str]:
        """By earliest date."""
        made = sorted(school.get("amendments") or [], key=lambda each: str(each["amended_on"]), reverse=True)
        return super().standing({**school, "amendments": [{**each, "amended_on": "2026-01-01"} for each in made]})


class LateCorrectionsIgnored(Engine):
    """Corrections more than thirty days on come too late."""

    def standing(self, school: Json) -> dict[Session, str]:
        """Only within thirty days."""
        made = school.get("amendments") or []
        soon = [each for each in made if (day(each["amended_on"]) - day(each["date"])).days <= 30]
        return super().standing({**school, "amendments": soon})


#: Each wrong engine, and a case that catches it.
CAUGHT: dict[type[Engine], str] = {
    ClosedDaysCounted: "T21",
    EveryMarkCounted: "M-outside-half-term",
    HalfClosureClosesTheDay: "M-closed-afternoon-rest-counts",
    HalfClosureIgnored: "M-closed-morning-0",
    WeekendsDropped: "M-saturday-morning",
    MarksCloseSchool: "M-hash-does-not-close",
    NIgnored: "T19a",
    UIgnored: "T17",
    HolidayOnly: "T01",
    LateCounted: "T16",
    PartTimeCounted: "T18",
    EveryAbsence: "T25",
    NotPossibleCounted: "T11",
    DaysNotSessions: "T01",
    WholeDaysTwice: "M-days-not-sessions",
    OneAfterAnother: "T06",
    AgeIgnored: "T15",
    AgeFromBirthdays: "A-fifth-birthday",
    LastFridayOutside: "T28",
    EndOfJune: "A-june-30-is-not-friday",
    DealtWithIgnored: "M-dealt-1",
    DealtWithByDay: "M-dealt-one-half",
    CorrectionsIgnored: "M-corrected-to-illness",
    LastListedStands: "M-corrected-latest-listed-first",
    FirstCorrectionStands: "M-corrected-latest-listed-last",
    LateCorrectionsIgnored: "M-corrected-after-met",
}
