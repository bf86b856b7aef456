"""Where a pupil stands against the threshold on a day: the ten school weeks so far, and when the oldest drop out.

For planning support early. Nothing follows from a number below ten by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.calendar import week_of
from portal.rules.explanations import Fact, Source, counted, in_words, listed, session_in_words
from portal.rules.framework import THRESHOLD_SOURCE
from portal.rules.penalty_notices import THRESHOLD, WEEKS, counting_sessions
from portal.rules.policy import DEFAULT_POLICY, Policy

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from portal.rules.calendar import Session
    from portal.rules.penalty_notices import CountedSession, SchoolRecord


@dataclass(frozen=True, slots=True)
class ThresholdNow:
    """The counting sessions in the ten school weeks that end with a day's week, up to and including that day.

    `drops_on` is the first day of the school week in which the oldest of them leave the window (None: beyond the
    calendar, or nothing counted).
    """

    as_at: date
    first_week: date | None
    last_week: date | None
    counted: tuple[CountedSession, ...]
    drops_on: date | None

    @property
    def number(self) -> int:
        """How many sessions count."""
        return len(self.counted)

    @property
    def needed(self) -> int:
        """How many more would reach the threshold; 0 when it is reached."""
        return max(0, THRESHOLD - self.number)

    @property
    def sentence(self) -> str:
        """The standing in plain words."""
        if self.first_week is None:
            return "The school has not met yet, so nothing counts."
        said = f"{counted(self.number, 'session').capitalize()} of unauthorised absence in the last ten school weeks."
        if self.needed and self.drops_on is not None:
            return f"{said} The oldest no longer count from {in_words(self.drops_on)}."
        return said

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The window and the sessions in it."""
        weeks = f"{in_words(self.first_week)} to {in_words(self.last_week)}" if self.first_week and self.last_week else ""
        return (
            Fact("School weeks", weeks or "none"),
            Fact("Sessions counted", str(self.number)),
            Fact("More needed to reach the threshold", str(self.needed)),
            Fact("Sessions", listed([session_in_words(each.session) for each in self.counted]) or "none"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The guidance."""
        return (THRESHOLD_SOURCE,)


def threshold_now(
    dob: date,
    record: SchoolRecord,
    as_at: date,
    dealt_with: Collection[Session] = (),
    policy: Policy = DEFAULT_POLICY,
) -> ThresholdNow:
    """Where a pupil at one school stands on a day, in whole school weeks."""
    firsts = tuple(record.calendar.week_numbers(starts_on=policy.week_starts_on))
    so_far = [first for first in firsts if first <= as_at]
    window = so_far[-WEEKS:]
    if not window:
        return ThresholdNow(as_at, None, None, (), None)
    found = tuple(
        each for each in counting_sessions(record, dob, frozenset(dealt_with), policy) if window[0] <= each.session[0] <= as_at
    )
    drops = None
    if found:
        place = firsts.index(week_of(found[0].session[0], starts_on=policy.week_starts_on)) + WEEKS
        drops = firsts[place] if place < len(firsts) else None
    return ThresholdNow(as_at, window[0], window[-1], found, drops)
