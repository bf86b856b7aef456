"""Wrong engines for the window, several schools and the best count: the literal one with a single step done wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.rules.almanac import ONE_DAY, day
from tests.rules.reference import Engine

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
    BestStopsWhenMet: "M-best-later",
    BestIsTotal: "M-best-not-total",
    WindowOfTheTen: "W-monday-to-friday-ten",
    FirstListedSchool: "S-earliest-second",
    SchoolsCombined: "S-together-6-4",
    NeverReviewed: "S-together-6-4",
    CountedTwice: "S-duplicates",
    FirstCalendarForAll: "S-own-calendar-open",
}
