"""Wrong engines for the threshold: the literal one with a single step done as people have really done it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rules.reference import ONE_DAY, Engine, day

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json
    from tests.rules.reference import Mark, Reached, Session

WEEK = timedelta(days=7)


class SeventyCalendarDays(Engine):
    """Ten within seventy days on the wall calendar."""

    def tenth(self, marks: list[Mark], weeks: list[date]) -> Mark | None:
        """The tenth of any ten less than seventy days apart."""
        del weeks
        for place in range(9, len(marks)):
            if (marks[place][0] - marks[place - 9][0]).days < 70:
                return marks[place]
        return None


class CalendarWeeks(Engine):
    """Every week counts, holidays included."""

    def weeks_of(self, sessions: list[Session], school: Json) -> list[date]:
        """Every week from the first to the last."""
        weeks = super().weeks_of(sessions, school)
        span = (weeks[-1] - weeks[0]).days // 7 + 1 if weeks else 0
        return [weeks[0] + number * WEEK for number in range(span)]


class MoreThanTen(Engine):
    """More than ten, not ten or more."""

    def reached(self, number: int) -> bool:
        """Strictly more."""
        return number > 10


class NineIsEnough(Engine):
    """Nine."""

    needed = 9


class ElevenWeeks(Engine):
    """A window of eleven weeks."""

    weeks = 11


class NineWeeks(Engine):
    """A window of nine weeks."""

    weeks = 9


class FullWeeksOnly(Engine):
    """A school week only when the school met on all five days."""

    def weeks_of(self, sessions: list[Session], school: Json) -> list[date]:
        """The weeks with five days."""
        weeks = super().weeks_of(sessions, school)
        return [week for week in weeks if len({on for on, _ in sessions if self.week(on) == week}) == 5]


class WeeksWithMarks(Engine):
    """A school week only when the pupil has a mark in it."""

    def weeks_of(self, sessions: list[Session], school: Json) -> list[date]:
        """The weeks with marks."""
        marked = {self.week(day(each["date"])) for each in school["attendance"]}
        return [week for week in super().weeks_of(sessions, school) if week in marked]


class SundayWeeks(Engine):
    """Weeks from Sunday to Saturday."""

    def week(self, on: date) -> date:
        """The Sunday of a day's week."""
        while on.isoweekday() != 7:
            on -= ONE_DAY
        return on


class CutAtHalfTerm(Engine):
    """The window starts afresh after each break."""

    def runs(self, weeks: list[date]) -> list[list[date]]:
        """Runs with no week missing between."""
        return [run for run in super().runs(weeks) for run in _unbroken(run)]


def _unbroken(run: list[date]) -> list[list[date]]:
    parts: list[list[date]] = []
    for week in run:
        if parts and week - parts[-1][-1] == WEEK:
            parts[-1].append(week)
        else:
            parts.append([week])
    return parts


class CutAtSummer(Engine):
    """The window starts afresh each academic year."""

    def runs(self, weeks: list[date]) -> list[list[date]]:
        """Runs cut at the end of August."""
        cut = []
        for run in super().runs(weeks):
            years = {week.year + ((week + 6 * ONE_DAY).month >= 9) for week in run}
            cut += [[week for week in run if week.year + ((week + 6 * ONE_DAY).month >= 9) == year] for year in years]
        return cut


class FixedBlocks(Engine):
    """Blocks of ten weeks end to end, not rolling."""

    def runs(self, weeks: list[date]) -> list[list[date]]:
        """Weeks 1 to 10, 11 to 20 and so on."""
        return [weeks[first : first + 10] for first in range(0, len(weeks), 10)] or [weeks]


class ClosedDaysCounted(Engine):
    """INSET days and holidays counted when a mark is there."""

    def is_session(self, on: date, half: str, met: list[Session]) -> bool:
        """Any weekday."""
        return (
            bool(met) and bool(half) and on.isoweekday() <= 5 and self.week(on) in {self.week(each) for each, _ in met}
        )


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


class BestStopsWhenMet(Engine):
    """The best count stops at the threshold."""

    def best(self, marks: list[Mark], weeks: list[date], met: Mark | None) -> int:
        """Ten, if met."""
        return super().best(marks, weeks, met) if met is None else 10


class BestIsTotal(Engine):
    """The best count is the whole calendar's."""

    def best(self, marks: list[Mark], weeks: list[date], met: Mark | None) -> int:
        """All of them."""
        del weeks, met
        return len(marks)


class WindowOfTheTen(Engine):
    """The window starts with the first of the ten sessions."""

    def window(self, weeks: list[date], mark: Mark) -> list[date]:
        """Nine weeks, or fewer."""
        return super().window(weeks, mark)[1:] or [self.week(mark[0])]


class FirstListedSchool(Engine):
    """The first school in the list that reached ten."""

    def earliest(self, found: list[Reached]) -> Reached:
        """The first found."""
        return found[0]


class SchoolsCombined(Engine):
    """Two schools together are simply met."""

    def without_one_school(self, case: Json) -> str:
        """No review."""
        return super().without_one_school(case).replace("review", "met")


class NeverReviewed(Engine):
    """Each school alone, and nothing more."""

    def without_one_school(self, case: Json) -> str:
        """Never together."""
        del case
        return "not_met"


class CountedTwice(Engine):
    """A session at both schools is two."""

    def merged(self, each_school: list[list[Mark]]) -> list[Mark]:
        """All of them."""
        return sorted(mark for marks in each_school for mark in marks)


class FirstCalendarForAll(Engine):
    """Every school on the first school's calendar."""

    def threshold(self, case: Json) -> Json:
        """One calendar."""
        calendar = case["schools"][0]["calendar"]
        return super().threshold({**case, "schools": [{**each, "calendar": calendar} for each in case["schools"]]})


#: Each wrong engine, and a case that catches it.
CAUGHT: dict[type[Engine], str] = {
    SeventyCalendarDays: "W-seventy-one-days",
    CalendarWeeks: "T29",
    MoreThanTen: "T01",
    NineIsEnough: "T02",
    ElevenWeeks: "W-five-0-10",
    NineWeeks: "T29",
    FullWeeksOnly: "W-thin-9",
    WeeksWithMarks: "W-five-0-10",
    SundayWeeks: "W-sunday-last",
    CutAtHalfTerm: "T03",
    CutAtSummer: "T07",
    FixedBlocks: "W-rolling-later",
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
    BestStopsWhenMet: "M-best-later",
    BestIsTotal: "M-best-not-total",
    WindowOfTheTen: "W-monday-to-friday-ten",
    FirstListedSchool: "S-earliest-second",
    SchoolsCombined: "S-together-6-4",
    NeverReviewed: "S-together-6-4",
    CountedTwice: "S-duplicates",
    FirstCalendarForAll: "S-own-calendar-open",
}
