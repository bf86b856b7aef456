"""Headroom: how many more sessions a pupil may miss before reaching a line of absence.

Also how many attended in a row bring a pupil back below it. Everything is counted in whole sessions on the pupil's own
calendar to the end of the year. It is for planning support with a family, and is never a target or a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.rules.calendar import academic_year, academic_year_span
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, pluralise
from portal.rules.measures import PERSISTENT, Line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from portal.rules.calendar import Calendar, Session


@dataclass(frozen=True, slots=True)
class Headroom:
    """A pupil's sessions so far against one line, with `sessions_left` still to come this year.

    `may_miss_this_year`: the most of the sessions left that may be missed, attending the others, and still end the year
    below the line. None when the year will end at or above it even if every session left is attended.
    `may_miss_in_a_row`: the most that may be missed from today, one after another, before the line is reached. None
    when it is reached already, or would not be by missing every session left.
    `attend_in_a_row`: sessions attended one after another, from today, that bring the pupil below the line. 0 when
    below it now, None when there are not enough left. `below_again_on`: the last of those sessions.
    """

    line: Line
    absent: int
    possible: int
    sessions_left: int
    may_miss_this_year: int | None
    may_miss_in_a_row: int | None
    attend_in_a_row: int | None
    below_again_on: Session | None

    @property
    def reached(self) -> bool:
        """Whether the line is reached now."""
        return self.line.reached(self.absent, self.possible)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if not self.reached:
            if self.may_miss_this_year is None:
                return f"There are no sessions left to count, so whether the pupil is {self.line.name} is not known."
            return (
                f"Below the line for {self.line.name}. Up to {self.may_miss_this_year} of the "
                f"{pluralise(self.sessions_left, 'session')} left this year may be missed without reaching it."
            )
        if self.attend_in_a_row is None or self.below_again_on is None:
            return (
                f"At or above the line for {self.line.name}, and there are not enough sessions left this year "
                "to come back below it. Every session attended still counts."
            )
        return (
            f"At or above the line for {self.line.name}. Attending the next {pluralise(self.attend_in_a_row, 'session')} "
            f"in a row, to {date_in_words(self.below_again_on[0])}, would bring the pupil below it."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The whole numbers the answer rests on."""
        return (
            Fact("Sessions missed so far", str(self.absent)),
            Fact("Possible sessions so far", str(self.possible)),
            Fact("Sessions left this year", str(self.sessions_left)),
            Fact("Line", f"{self.line.parts} in {self.line.out_of} or more"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the line comes from."""
        return (self.line.source,)


def remaining_sessions(calendar: Calendar, on: date, until: date | None = None) -> tuple[Session, ...]:
    """The school's sessions after a day, to the end of the academic year or to an earlier `until`."""
    last_day = academic_year_span(academic_year(on)).last_day
    return calendar.sessions((on + timedelta(days=1), last_day if until is None else min(last_day, until)))


def headroom(absent: int, possible: int, remaining: Sequence[Session], line: Line = PERSISTENT) -> Headroom:
    """The headroom of a pupil who has missed `absent` of `possible` sessions so far.

    `remaining` is in order of time, from the next session to the last of the year that counts for this pupil.
    """
    parts, out_of, left = line.parts, line.out_of, len(remaining)
    # Below the line means absent * out_of < possible * parts. Solved for the unknown in whole numbers, because a rate
    # in floating point could put a pupil at exactly 10% on the wrong side of the line.
    by_year_end = ((possible + left) * parts - 1) // out_of - absent if possible + left else -1
    # Each session missed in a row adds to both sides: (absent + n) * out_of < (possible + n) * parts.
    in_a_row = max(0, (possible * parts - absent * out_of - 1) // (out_of - parts))
    is_reached = line.reached(absent, possible)
    attend = (absent * out_of - possible * parts) // parts + 1 if is_reached else 0
    has_enough_left = attend <= left
    return Headroom(
        line=line,
        absent=absent,
        possible=possible,
        sessions_left=left,
        may_miss_this_year=min(by_year_end, left) if by_year_end >= 0 else None,
        may_miss_in_a_row=in_a_row if not is_reached and in_a_row < left else None,
        attend_in_a_row=attend if has_enough_left else None,
        below_again_on=remaining[attend - 1] if is_reached and has_enough_left else None,
    )
