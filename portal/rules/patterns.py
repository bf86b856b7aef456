"""Patterns in one pupil's marks: weekdays, halves of the day, breaks, particular days, lateness and change.

Facts with their counts, never a score: each answer says how many sessions it rests on, so that a person can judge.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from portal.rules.calendar import DAYS_IN_A_WEEK, HALVES, Between, Calendar, Half, week_of
from portal.rules.explanations import HALF_NAMES, Fact, Source, counted
from portal.rules.marks import Marks, codes_held
from portal.rules.tally import Tally, rounded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GUIDANCE = Source("Working together to improve school attendance", "schools look for patterns and act early")


@dataclass(frozen=True, slots=True)
class Share:
    """Sessions missed of those possible in one part of a pattern."""

    label: str
    absent: int
    possible: int

    @property
    def rate(self) -> Fraction | None:
        """Missed as an unrounded percentage; None when nothing was possible."""
        return Fraction(100 * self.absent, self.possible) if self.possible else None

    @property
    def value(self) -> str:
        """The share in words and figures: 3 of 14 (21.4%)."""
        rate = self.rate
        return f"{self.absent} of {self.possible}" + ("" if rate is None else f" ({rounded(rate, 1)}%)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The same question asked of several parts of a pupil's time, and the parts' shares in a fixed order."""

    question: str
    shares: tuple[Share, ...]

    def share(self, label: str) -> Share:
        """One part's share. Raises KeyError for a label the pattern does not have."""
        return {share.label: share for share in self.shares}[label]

    @property
    def sentence(self) -> str:
        """The part with the highest share of sessions missed, with its counts."""
        seen = [(share.rate, share) for share in self.shares if share.absent]
        if not seen:
            return f"{self.question}: no sessions missed."
        highest = max(rate for rate, _ in seen if rate is not None)
        top = next(share for rate, share in seen if rate == highest)
        return f"{self.question}: most often missed is {top.label}, {top.value}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each part's counts."""
        return tuple(Fact(share.label, share.value) for share in self.shares)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Why patterns are looked at."""
        return (GUIDANCE,)


def _shares(labels: Sequence[str], sessions: Iterable[tuple[str, bool]]) -> tuple[Share, ...]:
    possible: Counter[str] = Counter()
    absent: Counter[str] = Counter()
    for label, missed in sessions:
        possible[label] += 1
        absent[label] += missed
    return tuple(Share(label, absent[label], possible[label]) for label in labels)


def _possible(marks: Marks, calendar: Calendar, between: Between | None) -> Iterable[tuple[date, Half, bool]]:
    for (on, half), code in codes_held(marks, calendar, between):
        if code.possible:
            yield on, half, code.absent


def by_weekday_and_half(marks: Marks, calendar: Calendar, between: Between | None = None) -> Pattern:
    """Sessions missed on each weekday, morning and afternoon apart; weekend sessions only where the school has them."""
    days = sorted({on.weekday() for on in calendar.school_days(between)})
    labels = [f"{WEEKDAYS[day]} {HALF_NAMES[half]}" for day in days for half in HALVES]
    found = ((f"{WEEKDAYS[on.weekday()]} {HALF_NAMES[half]}", missed) for on, half, missed in _possible(marks, calendar, between))
    return Pattern("By weekday and half of the day", _shares(labels, found))


def by_weekday(marks: Marks, calendar: Calendar, between: Between | None = None) -> Pattern:
    """Sessions missed on each weekday the school meets."""
    labels = [WEEKDAYS[day] for day in sorted({on.weekday() for on in calendar.school_days(between)})]
    found = ((WEEKDAYS[on.weekday()], missed) for on, _, missed in _possible(marks, calendar, between))
    return Pattern("By weekday", _shares(labels, found))


BEFORE_BREAK = "the last school day before a break"
AFTER_BREAK = "the first school day after a break"
OTHER_DAYS = "other days"


def around_breaks(marks: Marks, calendar: Calendar, between: Between | None = None) -> Pattern:
    """Sessions missed on the last school day before each break and the first after it, against all other days.

    A break is at least one whole week without a session, between two half terms of the calendar given.
    """
    runs = calendar.half_terms()
    last = {run.last_day for run in runs[:-1]}
    first = {run.first_day for run in runs[1:]}

    def label(on: date) -> str:
        return BEFORE_BREAK if on in last else AFTER_BREAK if on in first else OTHER_DAYS

    found = ((label(on), missed) for on, _, missed in _possible(marks, calendar, between))
    return Pattern("Around breaks", _shares((BEFORE_BREAK, AFTER_BREAK, OTHER_DAYS), found))


DAY_BEFORE, THE_DAY, DAY_AFTER = "the school day before", "the day itself", "the school day after"


def around_days(marks: Marks, calendar: Calendar, days: Collection[date], between: Between | None = None) -> Pattern:
    """Sessions missed on particular days (a birthday, a festival, a sports day), and the school days beside each."""
    school_days = calendar.school_days()
    before = {max((day for day in school_days if day < on), default=None) for on in days}
    after = {calendar.school_day_after(on, 1) for on in days}

    def label(on: date) -> str:
        return THE_DAY if on in days else DAY_BEFORE if on in before else DAY_AFTER if on in after else OTHER_DAYS

    found = ((label(on), missed) for on, _, missed in _possible(marks, calendar, between))
    return Pattern("Around particular days", _shares((DAY_BEFORE, THE_DAY, DAY_AFTER, OTHER_DAYS), found))


@dataclass(frozen=True, slots=True)
class Lateness:
    """Sessions a pupil was late for: before the register closed (L, present) and after (U, unauthorised absence)."""

    before: int
    after: int
    possible: int
    by_weekday: tuple[tuple[str, int, int], ...]

    @property
    def sessions(self) -> int:
        """L and U together, as DfE counts late sessions."""
        return self.before + self.after

    @property
    def sentence(self) -> str:
        """The lateness in plain words."""
        if not self.sessions:
            return f"Not late in {counted(self.possible, 'possible session')}."
        return (
            f"Late for {self.sessions} of {counted(self.possible, 'possible session')}: "
            f"{self.before} before the register closed and {self.after} after."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The counts, in all and by weekday."""
        return (
            Fact("Late before the register closed", str(self.before)),
            Fact("Late after the register closed", str(self.after)),
            *(Fact(day, f"{before} before, {after} after") for day, before, after in self.by_weekday),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Why lateness is looked at."""
        return (GUIDANCE,)


def lateness(marks: Marks, calendar: Calendar, between: Between | None = None) -> Lateness:
    """How often a pupil was late, and on which weekdays."""
    possible = 0
    late: Counter[tuple[int, str]] = Counter()
    for (on, _), code in codes_held(marks, calendar, between):
        possible += code.possible
        if code.letters in {"L", "U"}:
            late[on.weekday(), code.letters] += 1
    days = sorted({day for day, _ in late})
    return Lateness(
        before=sum(late[day, "L"] for day in days),
        after=sum(late[day, "U"] for day in days),
        possible=possible,
        by_weekday=tuple((WEEKDAYS[day], late[day, "L"], late[day, "U"]) for day in days),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A pupil's absence beside a comparison: their own past, or the school's average over the same days."""

    now: Tally
    beside: Tally
    beside_what: str

    @property
    def points(self) -> Fraction | None:
        """Absence now less the comparison, in unrounded percentage points; None where either has nothing possible."""
        now, beside = self.now.overall_absence, self.beside.overall_absence
        return None if now is None or beside is None else now - beside

    @property
    def sentence(self) -> str:
        """The comparison in plain words."""
        points = self.points
        if points is None:
            return f"There is nothing to compare with {self.beside_what}."
        if points == 0:
            return f"Absence is the same as {self.beside_what}."
        direction = "higher" if points > 0 else "lower"
        return f"Absence is {rounded(abs(points), 1)} percentage points {direction} than {self.beside_what}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The sessions on both sides."""
        return (
            Fact("Missed now", f"{self.now.absent} of {self.now.possible}"),
            Fact(f"Missed: {self.beside_what}", f"{self.beside.absent} of {self.beside.possible}"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Why change is looked at."""
        return (GUIDANCE,)


def change_from_own_past(now: Tally, before: Tally) -> Change:
    """A pupil's absence beside their own earlier absence."""
    return Change(now, before, "the pupil's own absence before")


def beside_school_average(pupil: Tally, school: Tally) -> Change:
    """A pupil's absence beside the school's, over the same days: the school's sessions summed, never averaged."""
    return Change(pupil, school, "the school's average")


def recent_weeks(calendar: Calendar, on: date, number: int = 10) -> Between | None:
    """The days of the last so many school weeks, the last being the latest with a session on or before the day."""
    weeks = [week for week in calendar.school_weeks() if week <= week_of(on)][-number:]
    return (weeks[0], weeks[-1] + timedelta(days=DAYS_IN_A_WEEK - 1)) if weeks else None
