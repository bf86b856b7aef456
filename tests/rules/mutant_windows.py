"""Wrong engines for the window, several schools and the best count, each with one step done wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rules.calendars import ONE_DAY, day
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json
    from tests.rules.reference import Mark, SchoolMet, Session

WEEK = timedelta(days=7)


class SeventyCalendarDays(Engine):
    """The window is seventy calendar days."""

    def tenth(self, marks: list[Mark], weeks: list[date]) -> Mark | None:
        """The tenth of any ten less than seventy days apart."""
        del weeks
        for index in range(9, len(marks)):
            if (marks[index][0] - marks[index - 9][0]).days < 70:
                return marks[index]
        return None


class CalendarWeeks(Engine):
    """Every week counts, holidays included."""

    def school_weeks(self, sessions: list[Session], school: Json) -> list[date]:
        """Every week from the first to the last."""
        weeks = super().school_weeks(sessions, school)
        span = (weeks[-1] - weeks[0]).days // 7 + 1 if weeks else 0
        return [weeks[0] + number * WEEK for number in range(span)]


class MoreThanTen(Engine):
    """More than ten sessions are needed, not ten or more."""

    def is_enough(self, number: int) -> bool:
        """Strictly more."""
        return number > 10


class NineIsEnough(Engine):
    """Nine sessions are enough."""

    needed = 9


class ElevenWeeks(Engine):
    """A window of eleven weeks."""

    weeks = 11


class NineWeeks(Engine):
    """A window of nine weeks."""

    weeks = 9


class FullWeeksOnly(Engine):
    """A school week only when the school met on all five days."""

    def school_weeks(self, sessions: list[Session], school: Json) -> list[date]:
        """The weeks with five days."""
        weeks = super().school_weeks(sessions, school)
        return [week for week in weeks if len({on for on, _ in sessions if self.week_start(on) == week}) == 5]


class WeeksWithMarks(Engine):
    """A school week only when the pupil has a mark in it."""

    def school_weeks(self, sessions: list[Session], school: Json) -> list[date]:
        """The weeks with marks."""
        weeks_with_marks = {self.week_start(day(mark["date"])) for mark in school["attendance"]}
        return [week for week in super().school_weeks(sessions, school) if week in weeks_with_marks]


class SundayWeeks(Engine):
    """Weeks run from Sunday to Saturday."""

    def week_start(self, on: date) -> date:
        """The Sunday of a day's week."""
        while on.isoweekday() != 7:
            on -= ONE_DAY
        return on


class CutAtHalfTerm(Engine):
    """The window starts again after each break."""

    def windows(self, weeks: list[date]) -> list[list[date]]:
        """Windows cut where a calendar week is missing."""
        return [part for window in super().windows(weeks) for part in _unbroken(window)]


def _unbroken(window: list[date]) -> list[list[date]]:
    parts: list[list[date]] = []
    for week in window:
        if parts and week - parts[-1][-1] == WEEK:
            parts[-1].append(week)
        else:
            parts.append([week])
    return parts


class CutAtSummer(Engine):
    """The window starts again each academic year."""

    def windows(self, weeks: list[date]) -> list[list[date]]:
        """Windows cut at the end of August."""
        parts = []
        for window in super().windows(weeks):
            years = {week.year + ((week + 6 * ONE_DAY).month >= 9) for week in window}
            parts += [[week for week in window if week.year + ((week + 6 * ONE_DAY).month >= 9) == year] for year in years]
        return parts


class FixedBlocks(Engine):
    """Windows are fixed blocks of ten weeks, not rolling."""

    def windows(self, weeks: list[date]) -> list[list[date]]:
        """Weeks 1 to 10, 11 to 20 and so on."""
        return [weeks[first : first + 10] for first in range(0, len(weeks), 10)] or [weeks]


class BestStopsWhenMet(Engine):
    """The best count is never above ten."""

    def best_count(self, marks: list[Mark], weeks: list[date], met: Mark | None) -> int:
        """Ten, if met."""
        return super().best_count(marks, weeks, met) if met is None else 10


class BestIsTotal(Engine):
    """The best count is over the whole calendar."""

    def best_count(self, marks: list[Mark], weeks: list[date], met: Mark | None) -> int:
        """All marks."""
        del weeks, met
        return len(marks)


class WindowOfTheTen(Engine):
    """The window starts with the first of the ten sessions."""

    def window_ending(self, weeks: list[date], mark: Mark) -> list[date]:
        """Nine weeks, or fewer."""
        return super().window_ending(weeks, mark)[1:] or [self.week_start(mark[0])]


class FirstListedSchool(Engine):
    """The school named is the first in the list that reached ten."""

    def first_to_meet(self, schools_met: list[SchoolMet]) -> SchoolMet:
        """The first in the list."""
        return schools_met[0]


class SchoolsCombined(Engine):
    """The threshold is met by two schools' sessions together."""

    def outcome_without_one_school(self, case: Json) -> str:
        """No review."""
        return super().outcome_without_one_school(case).replace("review", "met")


class NeverReviewed(Engine):
    """The schools' sessions are never added together."""

    def outcome_without_one_school(self, case: Json) -> str:
        """Never together."""
        del case
        return "not_met"


class CountedTwice(Engine):
    """A session recorded at both schools counts twice."""

    def merged_marks(self, marks_by_school: list[list[Mark]]) -> list[Mark]:
        """All marks."""
        return sorted(mark for marks in marks_by_school for mark in marks)


class FirstCalendarForAll(Engine):
    """The first school's calendar is used for every school."""

    def threshold(self, case: Json) -> Json:
        """One calendar."""
        calendar = case["schools"][0]["calendar"]
        return super().threshold({**case, "schools": [{**school, "calendar": calendar} for school in case["schools"]]})


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
    BestStopsWhenMet: "M-best-later",
    BestIsTotal: "M-best-not-total",
    WindowOfTheTen: "W-monday-to-friday-ten",
    FirstListedSchool: "S-earliest-second",
    SchoolsCombined: "S-together-6-4",
    NeverReviewed: "S-together-6-4",
    CountedTwice: "S-duplicates",
    FirstCalendarForAll: "S-own-calendar-open",
}
