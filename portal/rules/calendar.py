"""Academic years, weeks, and the sessions one school meets for.

A session is half a school day: a date with "AM" or "PM", the morning before the afternoon. A school week is a week
from Monday to Sunday in which the school has at least one session (the Monday is our convention; DfE does not fix it).

A calendar keeps its sessions as ordinals: whole numbers, one for each half day, so that sorting, membership and
slicing are integer work and need no tuple of date and text for each session.
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
    """A period of days, both ends included."""

    first_day: date
    last_day: date

    def covers(self, on: date) -> bool:
        """Whether the day falls in the span."""
        return self.first_day <= on <= self.last_day


def academic_year(on: date) -> int:
    """The year in which a day's academic year began: 2025 for 1 September 2025 to 31 August 2026."""
    return on.year if on.month >= SEPTEMBER else on.year - 1


def academic_year_span(year: int) -> Span:
    """The academic year's first and last days: 1 September to 31 August."""
    return Span(date(year, 9, 1), date(year + 1, 8, 31))


def academic_year_name(year: int) -> str:
    """The academic year as people write it: 2025/26."""
    return f"{year}/{(year + 1) % 100:02d}"


def week_of(on: date, *, starts_on: int = 0) -> date:
    """The first day of the week that contains the day. Weeks start on Monday (0) unless `starts_on` says otherwise."""
    return on - timedelta(days=(on.weekday() - starts_on) % DAYS_IN_A_WEEK)


def register_year(monday: date) -> int:
    """The academic year whose roll a week's register page uses: that of the week's Sunday.

    A week with any day in the new year belongs entirely to the new year, so that a page never mixes two rolls.
    """
    return academic_year(monday + timedelta(days=DAYS_IN_A_WEEK - 1))


def session_ordinal(session: Session) -> int:
    """A session as a whole number that grows by one for each half day."""
    return session[0].toordinal() * 2 + (session[1] == "PM")


def session_from_ordinal(ordinal: int) -> Session:
    """The session that an ordinal from `session_ordinal` stands for."""
    return date.fromordinal(ordinal // 2), HALVES[ordinal % 2]


def _closed_ordinals(closed: Collection[date] | Collection[Session]) -> Iterator[int]:
    for closure in closed:
        if isinstance(closure, date):
            yield closure.toordinal() * 2
            yield closure.toordinal() * 2 + 1
        else:
            yield session_ordinal(closure)


def _weekday_ordinals(first_day: date, last_day: date) -> Iterator[int]:
    # Ordinals of days, not of sessions. Counting in integers avoids a date object for every day of every term.
    if last_day < first_day:
        message = f"A term ends on {last_day.isoformat()}, before it begins on {first_day.isoformat()}."
        raise ValueError(message)
    first_weekday = first_day.weekday()
    for offset in range((last_day - first_day).days + 1):
        if (first_weekday + offset) % DAYS_IN_A_WEEK < SATURDAY:
            yield first_day.toordinal() + offset


# Without slots: cached_property stores its result in the instance's __dict__.
@dataclass(frozen=True)
class Calendar:
    """The sessions one school meets for, in order of time. Nothing else is a session of that school.

    `ordinals` holds them as `session_ordinal` gives them, sorted and without repeats; `_slice` relies on the order.
    """

    ordinals: tuple[int, ...]

    @classmethod
    def from_terms(cls, terms: Sequence[tuple[date, date]], closed: Collection[date] | Collection[Session] = ()) -> Calendar:
        """Morning and afternoon on every Monday to Friday of the terms, both ends included, less what is closed.

        `closed` holds days, or (day, "AM"/"PM") for half of one: bank holidays, INSET days, planned closures.
        Raises ValueError for a term that ends before it begins.
        """
        closed_ordinals = frozenset(_closed_ordinals(closed))
        # A set, because terms may overlap and a session must be counted only once.
        days = {day for first_day, last_day in terms for day in _weekday_ordinals(first_day, last_day)}
        ordinals = (ordinal for day in sorted(days) for ordinal in (day * 2, day * 2 + 1))
        return cls(tuple(ordinal for ordinal in ordinals if ordinal not in closed_ordinals))

    @classmethod
    def from_sessions(cls, sessions: Iterable[Session]) -> Calendar:
        """Exactly these sessions, on any day of the week."""
        return cls(tuple(sorted({session_ordinal(session) for session in sessions})))

    @classmethod
    def together(cls, calendars: Iterable[Calendar]) -> Calendar:
        """Every session that any of the calendars has."""
        return cls(tuple(sorted({ordinal for calendar in calendars for ordinal in calendar.ordinals})))

    @cached_property
    def _ordinal_set(self) -> frozenset[int]:
        return frozenset(self.ordinals)

    @cached_property
    def _days(self) -> tuple[date, ...]:
        return tuple(date.fromordinal(day) for day in sorted({ordinal // 2 for ordinal in self.ordinals}))

    @cached_property
    def _weeks(self) -> tuple[date, ...]:
        return tuple(self.week_numbers())

    def week_numbers(self, *, starts_on: int = 0) -> Mapping[date, int]:
        """Each school week's first day and its number among the school's weeks (0, 1, …), in order."""
        # Ordinal 1 (1 January of year 1) was a Monday, so that (ordinal - 1) % 7 is the weekday.
        firsts = sorted({day - (day - 1 - starts_on) % DAYS_IN_A_WEEK for day in {ordinal // 2 for ordinal in self.ordinals}})
        return {date.fromordinal(first): number for number, first in enumerate(firsts)}

    def _slice(self, between: Between | None) -> tuple[int, ...]:
        if between is None:
            return self.ordinals
        first_day, last_day = between
        start = bisect_left(self.ordinals, first_day.toordinal() * 2)
        stop = bisect_right(self.ordinals, last_day.toordinal() * 2 + 1)
        return self.ordinals[start:stop]

    def meets(self, on: date, session: Half) -> bool:
        """Whether the school meets for that session."""
        return session_ordinal((on, session)) in self._ordinal_set

    def is_school_day(self, on: date) -> bool:
        """Whether the school meets at all that day."""
        return self.meets(on, "AM") or self.meets(on, "PM")

    def sessions(self, between: Between | None = None) -> tuple[Session, ...]:
        """The sessions between two days, both included, in order of time. All of them without `between`."""
        return tuple(session_from_ordinal(ordinal) for ordinal in self._slice(between))

    def count(self, between: Between | None = None) -> int:
        """How many sessions fall between two days, both included."""
        return len(self._slice(between))

    def school_days(self, between: Between | None = None) -> tuple[date, ...]:
        """The days with at least one session between two days, both included."""
        if between is None:
            return self._days
        first_day, last_day = between
        return self._days[bisect_left(self._days, first_day) : bisect_right(self._days, last_day)]

    def school_weeks(self, between: Between | None = None) -> tuple[date, ...]:
        """The Mondays of the weeks with at least one session between two days, both included."""
        if between is None:
            return self._weeks
        return tuple(dict.fromkeys(week_of(on) for on in self.school_days(between)))

    def school_day_after(self, on: date, number: int) -> date | None:
        """The nth school day after a day, not counting that day. None when the calendar ends before it."""
        index = bisect_right(self._days, on) + number - 1
        return self._days[index] if number > 0 and index < len(self._days) else None

    def school_days_since(self, on: date, until: date) -> int:
        """How many school days fall after one day, up to and including another."""
        return max(0, bisect_right(self._days, until) - bisect_right(self._days, on))

    def half_terms(self) -> tuple[Span, ...]:
        """Periods of school weeks with no week missing, each from its first to its last school day."""
        spans: list[Span] = []
        for on in self._days:
            if spans and week_of(on) - week_of(spans[-1].last_day) <= timedelta(days=DAYS_IN_A_WEEK):
                spans[-1] = Span(spans[-1].first_day, on)
            else:
                spans.append(Span(on, on))
        return tuple(spans)

    def without(self, closed: Collection[date] | Collection[Session]) -> Calendar:
        """The same calendar without some days or sessions."""
        closed_ordinals = frozenset(_closed_ordinals(closed))
        return Calendar(tuple(ordinal for ordinal in self.ordinals if ordinal not in closed_ordinals))


@dataclass(frozen=True, slots=True)
class RegisterComparison:
    """The sessions on which a register and the term dates disagree.

    `without_register` are sessions of the calendar with no marks, `outside_calendar` sessions with marks that the
    calendar does not have. The school settles each of them.
    """

    without_register: tuple[Session, ...]
    outside_calendar: tuple[Session, ...]

    @property
    def agrees(self) -> bool:
        """Whether the register and the calendar have the same sessions."""
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


def compare_register_with_calendar(calendar: Calendar, sessions_taken: Collection[Session], between: Between) -> RegisterComparison:
    """Compare the sessions a register was taken for with those the calendar has, between two days.

    `sessions_taken` has each session with at least one mark that is neither missing nor administrative (Z, #). Marks
    never change a calendar by themselves: the school corrects its term dates, or its register.
    """
    first_day, last_day = between
    with_marks = {session_ordinal(session) for session in sessions_taken if first_day <= session[0] <= last_day}
    expected = {session_ordinal(session) for session in calendar.sessions(between)}
    return RegisterComparison(
        tuple(session_from_ordinal(ordinal) for ordinal in sorted(expected - with_marks)),
        tuple(session_from_ordinal(ordinal) for ordinal in sorted(with_marks - expected)),
    )
