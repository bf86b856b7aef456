"""Wrong engines for which sessions count: closures, codes, age, corrections and sessions dealt with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.calendars import day
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json
    from tests.rules.reference import Mark, Session


class ClosedDaysCounted(Engine):
    """Marks on INSET days and holidays are counted."""

    def is_session(self, on: date, half: str, sessions: list[Session]) -> bool:
        """Any weekday of a school week."""
        return on.isoweekday() <= 5 and self.week_start(on) in {self.week_start(met_on) for met_on, _ in sessions}


class EveryMarkCounted(Engine):
    """Marks outside the calendar are counted, and so are their weeks."""

    def is_session(self, on: date, half: str, sessions: list[Session]) -> bool:
        """Anything."""
        del on, half, sessions
        return True

    def school_weeks(self, sessions: list[Session], school: Json) -> list[date]:
        """The weeks with sessions or marks."""
        weeks_with_marks = {self.week_start(day(mark["date"])) for mark in school["attendance"]}
        return sorted({*super().school_weeks(sessions, school), *weeks_with_marks})


class HalfClosureClosesTheDay(Engine):
    """A closed morning closes the afternoon too."""

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
    """Sessions on a Saturday or Sunday are dropped from the calendar."""

    def sessions_of(self, calendar: Json) -> list[Session]:
        """Weekdays only."""
        return [session for session in super().sessions_of(calendar) if session[0].isoweekday() <= 5]


class MarksCloseSchool(Engine):
    """A week marked # or Y4 is not a school week."""

    def school_weeks(self, sessions: list[Session], school: Json) -> list[date]:
        """Weeks with a session not marked as closed."""
        marked_closed = {(day(mark["date"]), mark["session"]) for mark in school["attendance"] if mark["code"] in {"#", "Y4"}}
        return super().school_weeks([session for session in sessions if session not in marked_closed], school)


class NIgnored(Engine):
    """N is not counted until a reason is known."""

    codes = frozenset("GOU")


class UIgnored(Engine):
    """U is taken for presence, because the pupil came in."""

    codes = frozenset("GNO")


class HolidayOnly(Engine):
    """Only holidays count."""

    codes = frozenset("G")


class LateCounted(Engine):
    """L counts like U, because both are late."""

    codes = frozenset("GNOUL")


class PartTimeCounted(Engine):
    """C2 counts as an unauthorised absence."""

    codes = frozenset(("G", "N", "O", "U", "C2"))


class EveryAbsence(Engine):
    """All absence counts, authorised too."""

    codes = frozenset(("G", "N", "O", "U", "I", "C", "C1", "C2", "E", "J1", "M", "R", "S", "T", "H", "F"))


class NotPossibleCounted(Engine):
    """D, X, Q and Y are taken for absence."""

    codes = frozenset(("G", "N", "O", "U", "D", "X", "Q", "Y", "Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7"))


class DaysNotSessions(Engine):
    """Days are counted, not sessions."""

    def count_in(self, marks: list[Mark], window: list[date]) -> int:
        """How many days."""
        return len({on for on, _, _ in marks if self.week_start(on) in window})


class WholeDaysTwice(Engine):
    """Any absence counts as the whole day: two sessions."""

    def count_in(self, marks: list[Mark], window: list[date]) -> int:
        """Two a day."""
        return 2 * len({on for on, _, _ in marks if self.week_start(on) in window})


class ConsecutiveOnly(Engine):
    """The ten must be consecutive."""

    def tenth(self, marks: list[Mark], weeks: list[date]) -> Mark | None:
        """Ten within seven days."""
        for index in range(9, len(marks)):
            if (marks[index][0] - marks[index - 9][0]).days <= 6:
                return super().tenth(marks[: index + 1], weeks)
        return None


class AgeIgnored(Engine):
    """Every registered pupil's sessions count, at any age."""

    def is_of_age(self, dob: date, on: date) -> bool:
        """Always."""
        del dob, on
        return True


class AgeFromBirthdays(Engine):
    """The age runs from the fifth birthday to the sixteenth."""

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
    """Sessions already dealt with are counted again."""

    def is_dealt_with(self, on: date, half: str, dealt_with: list[Session]) -> bool:
        """Never."""
        del on, half, dealt_with
        return False


class DealtWithByDay(Engine):
    """One session dealt with removes the whole day."""

    def is_dealt_with(self, on: date, half: str, dealt_with: list[Session]) -> bool:
        """Either half."""
        del half
        return on in {dealt_with_on for dealt_with_on, _ in dealt_with}


class CorrectionsIgnored(Engine):
    """Corrections are ignored: the first mark stands."""

    def standing_codes(self, school: Json) -> dict[Session, str]:
        """The codes first recorded."""
        return super().standing_codes({**school, "amendments": []})


class LastListedStands(Engine):
    """The last correction in the list stands."""

    def standing_codes(self, school: Json) -> dict[Session, str]:
        """The order of the list decides."""
        amendments = [{**amendment, "amended_on": "2026-01-01"} for amendment in school.get("amendments") or []]
        return super().standing_codes({**school, "amendments": amendments})


class FirstCorrectionStands(Engine):
    """The earliest correction stands."""

    def standing_codes(self, school: Json) -> dict[Session, str]:
        """The earliest date decides."""
        latest_first = sorted(school.get("amendments") or [], key=lambda amendment: str(amendment["amended_on"]), reverse=True)
        amendments = [{**amendment, "amended_on": "2026-01-01"} for amendment in latest_first]
        return super().standing_codes({**school, "amendments": amendments})


class LateCorrectionsIgnored(Engine):
    """Corrections made more than thirty days later are ignored."""

    def standing_codes(self, school: Json) -> dict[Session, str]:
        """Only within thirty days."""
        amendments = [
            amendment
            for amendment in school.get("amendments") or []
            if (day(amendment["amended_on"]) - day(amendment["date"])).days <= 30
        ]
        return super().standing_codes({**school, "amendments": amendments})


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
    ConsecutiveOnly: "T06",
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
