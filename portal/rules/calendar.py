"""Academic years, weeks, and the sessions one school meets for.

A session is half a school day: a date with "AM" or "PM", the morning before the afternoon. A school week is a week
from Monday to Sunday in which the school has at least one session (the Monday is our convention; DfE does not fix it).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

Half = Literal["AM", "PM"]
Session = tuple[date, Half]
Between = tuple[date, date]

HALVES: tuple[Half, Half] = ("AM", "PM")
DAYS_IN_A_WEEK = 7
SEPTEMBER = 9
SATURDAY = 5


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A run of days, both ends included."""

    first_day: date
    last_day: date

    def covers(self, on: date) -> bool:
        """Whether the day falls in the span."""
        return self.first_day <= on <= self.last_day


def academic_year(on: date) -> int:
    """The year in which the academic year of that day began: 2025 for 1 September 2025 to 31 August 2026."""
    return on.year if on.month >= SEPTEMBER else on.year - 1


def academic_year_span(year: int) -> Span:
    """The academic year's first and last days: 1 September to 31 August."""
    return Span(date(year, 9, 1), date(year + 1, 8, 31))


def academic_year_name(year: int) -> str:
    """The academic year as people write it: 2025/26."""
    return f"{year}/{(year + 1) % 100:02d}"


def week_of(on: date, *, starts_on: int = 0) -> date:
    """The first day of the week that holds the day. Weeks start on Monday (0) unless told another weekday."""
    return on - timedelta(days=(on.weekday() - starts_on) % DAYS_IN_A_WEEK)


def register_year(monday: date) -> int:
    """The academic year whose roll a week's page belongs to: that of the week's Sunday.

    A week with any day in September's new year belongs whole to the new year, so that a page has one roll.
    """
    return academic_year(monday + timedelta(days=DAYS_IN_A_WEEK - 1))


def place_of(session: Session) -> int:
    """A session's place in time, as a whole number: one more for each half day."""
    return session[0].toordinal() * 2 + (session[1] == "PM")


def session_at(place: int) -> Session:
    """The session at a place in time: undoes `place_of`."""
    return date.fromordinal(place // 2), HALVES[place % 2]


def _places_closed(closed: Collection[date] | Collection[Session]) -> Iterator[int]:
    for entry in closed:
        if isinstance(entry, date):
            yield entry.toordinal() * 2
            yield entry.toordinal() * 2 + 1
        else:
            yield place_of(entry)


def _weekday_ordinals(first_day: date, last_day: date) -> Iterator[int]:
    if last_day < first_day:
        message = f"A term ends on {last_day.isoformat()}, before it begins on {first_day.isoformat()}."
        raise ValueError(message)
    begins = first_day.weekday()
    for ahead in range((last_day - first_day).days + 1):
        if (begins + ahead) % DAYS_IN_A_WEEK < SATURDAY:
            yield first_day.toordinal() + ahead


@dataclass(frozen=True)
class Calendar:
    """The sessions one school meets for, in order of time; nothing else is a session of that school."""

    places: tuple[int, ...]

    @classmethod
    def from_terms(cls, terms: Sequence[tuple[date, date]], closed: Collection[date] | Collection[Session] = ()) -> Calendar:
        """Morning and afternoon on every Monday to Friday of the terms, both ends included, less what is closed.

        `closed` holds days, or (day, "AM"/"PM") for half of one: bank holidays, INSET days, planned closures.
        Raises ValueError for a term that ends before it begins.
        """
        shut = frozenset(_places_closed(closed))
        days = {ordinal for first_day, last_day in terms for ordinal in _weekday_ordinals(first_day, last_day)}
        every = (place for ordinal in sorted(days) for place in (ordinal * 2, ordinal * 2 + 1))
        return cls(tuple(place for place in every if place not in shut))

    @classmethod
    def from_sessions(cls, sessions: Iterable[Session]) -> Calendar:
        """Exactly these sessions, on whatever day of the week they fall."""
        return cls(tuple(sorted({place_of(session) for session in sessions})))

    @classmethod
    def together(cls, calendars: Iterable[Calendar]) -> Calendar:
        """Every session any of the calendars has."""
        return cls(tuple(sorted({place for calendar in calendars for place in calendar.places})))

    @cached_property
    def _held(self) -> frozenset[int]:
        return frozenset(self.places)

    @cached_property
    def _days(self) -> tuple[date, ...]:
        return tuple(date.fromordinal(ordinal) for ordinal in sorted({place // 2 for place in self.places}))

    @cached_property
    def _weeks(self) -> tuple[date, ...]:
        return tuple(self.week_numbers())

    def week_numbers(self, *, starts_on: int = 0) -> Mapping[date, int]:
        """Each school week's first day, with its place among the school's weeks (0, 1, …), in order of time."""
        # Ordinal 1 (1 January of year 1) was a Monday, so that (ordinal - 1) % 7 is the weekday.
        firsts = sorted({day - (day - 1 - starts_on) % DAYS_IN_A_WEEK for day in {place // 2 for place in self.places}})
        return {date.fromordinal(first): number for number, first in enumerate(firsts)}

    def _slice(self, between: Between | None) -> tuple[int, ...]:
        if between is None:
            return self.places
        first, last = between
        return self.places[bisect_left(self.places, first.toordinal() * 2) : bisect_right(self.places, last.toordinal() * 2 + 1)]

    def meets(self, on: date, session: Half) -> bool:
        """Whether the school meets for that session."""
        return place_of((on, session)) in self._held

    def is_school_day(self, on: date) -> bool:
        """Whether the school meets at all that day."""
        return self.meets(on, "AM") or self.meets(on, "PM")

    def sessions(self, between: Between | None = None) -> tuple[Session, ...]:
        """The sessions between two days, both included (all of them if not told), in order of time."""
        return tuple(session_at(place) for place in self._slice(between))

    def count(self, between: Between | None = None) -> int:
        """How many sessions fall between two days, both included."""
        return len(self._slice(between))

    def school_days(self, between: Between | None = None) -> tuple[date, ...]:
        """The days with at least one session between two days, both included."""
        if between is None:
            return self._days
        first, last = between
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def school_weeks(self, between: Between | None = None) -> tuple[date, ...]:
        """The Mondays of the weeks with at least one session between two days, both included."""
        if between is None:
            return self._weeks
        return tuple(dict.fromkeys(week_of(on) for on in self.school_days(between)))

    def school_day_after(self, on: date, number: int) -> date | None:
        """The number-th school day after a day, that day left out; None when the calendar ends before it."""
        place = bisect_right(self._days, on) + number - 1
        return self._days[place] if number > 0 and place < len(self._days) else None

    def school_days_since(self, on: date, until: date) -> int:
        """How many school days fall after one day, up to and including another."""
        return max(0, bisect_right(self._days, until) - bisect_right(self._days, on))

    def half_terms(self) -> tuple[Span, ...]:
        """Runs of school weeks with no week missing between them, each from its first to its last school day."""
        runs: list[Span] = []
        for on in self._days:
            if runs and week_of(on) - week_of(runs[-1].last_day) <= timedelta(days=DAYS_IN_A_WEEK):
                runs[-1] = Span(runs[-1].first_day, on)
            else:
                runs.append(Span(on, on))
        return tuple(runs)

    def without(self, closed: Collection[date] | Collection[Session]) -> Calendar:
        """The same calendar less some days or sessions."""
        shut = frozenset(_places_closed(closed))
        return Calendar(tuple(place for place in self.places if place not in shut))


@dataclass(frozen=True, slots=True)
class RegisterComparison:
    """Where a register and the term dates disagree about when a school met: each is for the school to settle."""

    without_register: tuple[Session, ...]
    outside_calendar: tuple[Session, ...]

    @property
    def agrees(self) -> bool:
        """Whether the two say the same."""
        return not self.without_register and not self.outside_calendar

    @property
    def sentence(self) -> str:
        """The comparison in plain words."""
        if self.agrees:
            return "The register and the term dates agree."
        return (
            f"The register has no marks for {len(self.without_register)} of the school's sessions, "
            f"and marks for {len(self.outside_calendar)} sessions outside its term dates."
        )


def register_against_calendar(calendar: Calendar, taken: Collection[Session], between: Between) -> RegisterComparison:
    """Compare the sessions a register was taken for with those the calendar has, between two days.

    `taken` holds each session with at least one mark that is neither missing nor administrative (Z, #). Marks never
    change a calendar by themselves: the school corrects its term dates, or its register.
    """
    shown = {place_of(session) for session in taken if between[0] <= session[0] <= between[1]}
    expected = {place_of(session) for session in calendar.sessions(between)}
    return RegisterComparison(
        tuple(session_at(place) for place in sorted(expected - shown)),
        tuple(session_at(place) for place in sorted(shown - expected)),
    )
