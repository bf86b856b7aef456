"""A pupil's sessions towards the threshold as at a day, and when the oldest stop counting.

For planning support early. Nothing follows from a number below ten by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.calendar import week_of
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, join_with_and, pluralise, session_in_words
from portal.rules.framework import THRESHOLD_SOURCE
from portal.rules.penalty_notices import THRESHOLD, WINDOW_WEEKS, counting_sessions
from portal.rules.policy import DEFAULT_POLICY, Policy

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from portal.rules.calendar import Session
    from portal.rules.penalty_notices import CountedSession, SchoolRecord


@dataclass(frozen=True, slots=True)
class ThresholdNow:
    """The sessions that count, up to a day, in the ten school weeks that end with its week.

    `oldest_drops_on` is the first day of the school week in which the oldest of them leave the window. It is None when
    the calendar ends first or nothing counts.
    """

    as_at: date
    first_week: date | None
    last_week: date | None
    counted: tuple[CountedSession, ...]
    oldest_drops_on: date | None

    @property
    def number(self) -> int:
        """The number of sessions that count."""
        return len(self.counted)

    @property
    def needed(self) -> int:
        """How many more sessions would reach the threshold. 0 when it is reached."""
        return max(0, THRESHOLD - self.number)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if self.first_week is None:
            return "The school has not been open yet, so nothing counts."
        sentence = f"{pluralise(self.number, 'session').capitalize()} of unauthorised absence in the last ten school weeks."
        if self.needed and self.oldest_drops_on is not None:
            return f"{sentence} The oldest no longer count from {date_in_words(self.oldest_drops_on)}."
        return sentence

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The window and the sessions in it."""
        weeks = f"{date_in_words(self.first_week)} to {date_in_words(self.last_week)}" if self.first_week and self.last_week else ""
        return (
            Fact("School weeks", weeks or "none"),
            Fact("Sessions counted", str(self.number)),
            Fact("More needed to reach the threshold", str(self.needed)),
            Fact("Sessions", join_with_and([session_in_words(counted.session) for counted in self.counted]) or "none"),
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
    """The sessions of a pupil at one school that count as at a day, in whole school weeks."""
    weeks = tuple(record.calendar.week_numbers(starts_on=policy.week_starts_on))
    window = [week for week in weeks if week <= as_at][-WINDOW_WEEKS:]
    if not window:
        return ThresholdNow(as_at, None, None, (), None)
    in_window = tuple(
        counted
        for counted in counting_sessions(record, dob, frozenset(dealt_with), policy)
        if window[0] <= counted.session[0] <= as_at
    )
    oldest_drops_on = None
    if in_window:
        # A session is in the window for ten school weeks, its own included, so it leaves with the tenth week after.
        oldest_week = week_of(in_window[0].session[0], starts_on=policy.week_starts_on)
        leaving_week = weeks.index(oldest_week) + WINDOW_WEEKS
        oldest_drops_on = weeks[leaving_week] if leaving_week < len(weeks) else None
    return ThresholdNow(as_at, window[0], window[-1], in_window, oldest_drops_on)
