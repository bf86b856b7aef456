"""Patterns in one pupil's marks: weekdays, halves of the day, breaks, particular days, lateness and change.

Facts with their counts, never a score. Each answer says how many sessions it rests on, so that a person can judge.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from portal.rules.calendar import DAYS_IN_A_WEEK, HALVES, Between, Calendar, Half, week_of
from portal.rules.explanations import HALF_NAMES, Fact, Source, pluralise
from portal.rules.marks import Marks, coded_sessions
from portal.rules.session_counts import SessionCounts, rounded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date

#: The school weeks that a pupil's recent attendance is counted over.
RECENT_WEEKS = 10
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GUIDANCE = Source("Working together to improve school attendance", "schools look for patterns and act early")


@dataclass(frozen=True, slots=True)
class Share:
    """Sessions missed and possible in one part of a pattern."""

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
    """Shares of sessions missed in several parts of a pupil's time, in a fixed order."""

    question: str
    shares: tuple[Share, ...]

    def share(self, label: str) -> Share:
        """One part's share. Raises KeyError for a label the pattern does not have."""
        return {share.label: share for share in self.shares}[label]

    @property
    def sentence(self) -> str:
        """The part with the highest share of sessions missed, with its counts."""
        missed = [(share.rate, share) for share in self.shares if share.absent]
        if not missed:
            return f"{self.question}: no sessions missed."
        highest_rate = max(rate for rate, _ in missed if rate is not None)
        highest = next(share for rate, share in missed if rate == highest_rate)
        return f"{self.question}: most often missed is {highest.label}, {highest.value}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each part's counts."""
        return tuple(Fact(share.label, share.value) for share in self.shares)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance that asks schools to look for patterns."""
        return (GUIDANCE,)


def _shares(labels: Sequence[str], sessions: Iterable[tuple[str, bool]]) -> tuple[Share, ...]:
    possible: Counter[str] = Counter()
    absent: Counter[str] = Counter()
    for label, missed in sessions:
        possible[label] += 1
        absent[label] += missed
    return tuple(Share(label, absent[label], possible[label]) for label in labels)


def _possible_sessions(marks: Marks, calendar: Calendar, between: Between | None) -> Iterable[tuple[date, Half, bool]]:
    for (on, half), code in coded_sessions(marks, calendar, between):
        if code.possible:
            yield on, half, code.absent


def by_weekday_and_half(marks: Marks, calendar: Calendar, between: Between | None = None) -> Pattern:
    """Sessions missed on each weekday the school meets, mornings and afternoons separately."""
    days = sorted({on.weekday() for on in calendar.school_days(between)})
    labels = [f"{WEEKDAYS[day]} {HALF_NAMES[half]}" for day in days for half in HALVES]
    labelled = (
        (f"{WEEKDAYS[on.weekday()]} {HALF_NAMES[half]}", missed)
        for on, half, missed in _possible_sessions(marks, calendar, between)
    )
    return Pattern("By weekday and half of the day", _shares(labels, labelled))


def by_weekday(marks: Marks, calendar: Calendar, between: Between | None = None) -> Pattern:
    """Sessions missed on each weekday the school meets."""
    labels = [WEEKDAYS[day] for day in sorted({on.weekday() for on in calendar.school_days(between)})]
    labelled = ((WEEKDAYS[on.weekday()], missed) for on, _, missed in _possible_sessions(marks, calendar, between))
    return Pattern("By weekday", _shares(labels, labelled))


BEFORE_BREAK = "the last school day before a break"
AFTER_BREAK = "the first school day after a break"
OTHER_DAYS = "other days"


def around_breaks(marks: Marks, calendar: Calendar, between: Between | None = None) -> Pattern:
    """Sessions missed on the last school day before each break, the first after it, and other days.

    A break is at least one whole week without a session, between two half terms of the calendar given.
    """
    half_terms = calendar.half_terms()
    # The calendar's own first and last days are left out: what came before or follows is not known to be a break.
    last_days = {half_term.last_day for half_term in half_terms[:-1]}
    first_days = {half_term.first_day for half_term in half_terms[1:]}

    def label(on: date) -> str:
        return BEFORE_BREAK if on in last_days else AFTER_BREAK if on in first_days else OTHER_DAYS

    labelled = ((label(on), missed) for on, _, missed in _possible_sessions(marks, calendar, between))
    return Pattern("Around breaks", _shares((BEFORE_BREAK, AFTER_BREAK, OTHER_DAYS), labelled))


DAY_BEFORE, THE_DAY, DAY_AFTER = "the school day before", "the day itself", "the school day after"


def around_days(marks: Marks, calendar: Calendar, days: Collection[date], between: Between | None = None) -> Pattern:
    """Sessions missed on particular days, such as a birthday, and on the school days next to them."""
    school_days = calendar.school_days()
    before = {max((day for day in school_days if day < on), default=None) for on in days}
    after = {calendar.school_day_after(on, 1) for on in days}

    def label(on: date) -> str:
        return THE_DAY if on in days else DAY_BEFORE if on in before else DAY_AFTER if on in after else OTHER_DAYS

    labelled = ((label(on), missed) for on, _, missed in _possible_sessions(marks, calendar, between))
    return Pattern("Around particular days", _shares((DAY_BEFORE, THE_DAY, DAY_AFTER, OTHER_DAYS), labelled))


@dataclass(frozen=True, slots=True)
class Lateness:
    """Sessions a pupil was late for.

    `before` the register closed is code L, present; `after` is code U, an unauthorised absence. `by_weekday` has for
    each weekday its name and both counts.
    """

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
            return f"Not late in {pluralise(self.possible, 'possible session')}."
        return (
            f"Late for {self.sessions} of {pluralise(self.possible, 'possible session')}: "
            f"{self.before} before the register closed and {self.after} after."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The counts, in total and by weekday."""
        return (
            Fact("Late before the register closed", str(self.before)),
            Fact("Late after the register closed", str(self.after)),
            *(Fact(day, f"{before} before, {after} after") for day, before, after in self.by_weekday),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance that asks schools to look for patterns."""
        return (GUIDANCE,)


def lateness(marks: Marks, calendar: Calendar, between: Between | None = None) -> Lateness:
    """How often a pupil was late, and on which weekdays."""
    possible = 0
    late: Counter[tuple[int, str]] = Counter()
    for (on, _), code in coded_sessions(marks, calendar, between):
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
class AbsenceComparison:
    """A pupil's absence compared with a baseline: their own past, or the school's average over the same days.

    `beside` is the baseline, and `baseline_name` names it in sentences.
    """

    now: SessionCounts
    baseline: SessionCounts
    baseline_name: str

    @property
    def points(self) -> Fraction | None:
        """Absence now less the baseline, in unrounded percentage points. None where either has nothing possible."""
        now, baseline = self.now.overall_absence, self.baseline.overall_absence
        return None if now is None or baseline is None else now - baseline

    @property
    def sentence(self) -> str:
        """The comparison in plain words."""
        points = self.points
        if points is None:
            return f"There is nothing to compare with {self.baseline_name}."
        if points == 0:
            return f"Absence is the same as {self.baseline_name}."
        direction = "higher" if points > 0 else "lower"
        return f"Absence is {rounded(abs(points), 1)} percentage points {direction} than {self.baseline_name}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The sessions missed and possible, of the pupil and of the baseline."""
        return (
            Fact("Missed now", f"{self.now.absent} of {self.now.possible}"),
            Fact(f"Missed: {self.baseline_name}", f"{self.baseline.absent} of {self.baseline.possible}"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance that asks schools to look for patterns."""
        return (GUIDANCE,)


def compare_with_own_past(now: SessionCounts, before: SessionCounts) -> AbsenceComparison:
    """A pupil's absence compared with their own earlier absence."""
    return AbsenceComparison(now, before, "the pupil's own absence before")


def compare_with_school_average(pupil: SessionCounts, school: SessionCounts) -> AbsenceComparison:
    """A pupil's absence compared with the school's over the same days.

    The school's rate comes from its sessions summed. A mean of pupils' rates would give a pupil of one week the weight
    of a pupil of the whole year.
    """
    return AbsenceComparison(pupil, school, "the school's average")


def recent_weeks(calendar: Calendar, on: date, number: int = RECENT_WEEKS) -> Between | None:
    """The first and last days of the latest school weeks that began on or before a day. None if there are none."""
    weeks = [week for week in calendar.school_weeks() if week <= week_of(on)][-number:]
    return (weeks[0], weeks[-1] + timedelta(days=DAYS_IN_A_WEEK - 1)) if weeks else None
