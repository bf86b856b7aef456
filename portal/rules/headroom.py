"""Headroom: exactly how many more sessions may be missed before a line is reached, and how many attended lead back.

Everything is counted in whole sessions on the pupil's own calendar to the end of the year. It is for planning support
with a family; it is never a target or a score.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from portal.rules.calendar import academic_year, academic_year_span
from portal.rules.explanations import Fact, Source, counted, in_words
from portal.rules.measures import PERSISTENT, Line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from portal.rules.calendar import Calendar, Session


@dataclass(frozen=True, slots=True)
class Headroom:
    """Where a pupil stands against one line, with `ahead` sessions still to come this year.

    `may_miss_this_year`: the most sessions of those ahead that may be missed, attending the rest, and still end the
    year below the line; None when the year will end at or above it even if every session ahead is attended.
    `may_miss_in_a_row`: the most that may be missed from today, one after another, before the line is reached;
    None when it is reached already, or would not be by missing every session ahead.
    `attend_in_a_row`: sessions attended one after another, from today, that bring the pupil below the line; 0 when
    below it now, None when there are not enough left. `back_on`: the last of those sessions.
    """

    line: Line
    absent: int
    possible: int
    ahead: int
    may_miss_this_year: int | None
    may_miss_in_a_row: int | None
    attend_in_a_row: int | None
    back_on: Session | None

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
                f"{counted(self.ahead, 'session')} left this year may be missed without reaching it."
            )
        if self.attend_in_a_row is None or self.back_on is None:
            return (
                f"At or above the line for {self.line.name}, and there are not enough sessions left this year "
                "to come back below it. Every session attended still counts."
            )
        return (
            f"At or above the line for {self.line.name}. Attending the next {counted(self.attend_in_a_row, 'session')} "
            f"in a row, to {in_words(self.back_on[0])}, would bring the pupil below it."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The whole numbers the answer rests on."""
        return (
            Fact("Sessions missed so far", str(self.absent)),
            Fact("Possible sessions so far", str(self.possible)),
            Fact("Sessions left this year", str(self.ahead)),
            Fact("Line", f"{self.line.parts} in {self.line.out_of} or more"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the line comes from."""
        return (self.line.source,)


def sessions_ahead(calendar: Calendar, on: date, until: date | None = None) -> tuple[Session, ...]:
    """The school's sessions after a day, to the end of its academic year, or to an earlier day such as leaving."""
    last = academic_year_span(academic_year(on)).last_day
    return calendar.sessions((on + timedelta(days=1), last if until is None else min(last, until)))


def headroom(absent: int, possible: int, ahead: Sequence[Session], line: Line = PERSISTENT) -> Headroom:
    """Where a pupil with so many sessions missed of so many possible stands, with these sessions still to come.

    `ahead` is in order of time, from the next session to the last of the year that counts for this pupil.
    """
    parts, out_of, left = line.parts, line.out_of, len(ahead)
    # Below the line means absent x out_of < possible x parts. Each number is the last whole one for which it holds.
    by_year_end = ((possible + left) * parts - 1) // out_of - absent if possible + left else -1
    in_a_row = max(0, (possible * parts - absent * out_of - 1) // (out_of - parts))
    reached = line.reached(absent, possible)
    attend = (absent * out_of - possible * parts) // parts + 1 if reached else 0
    enough = attend <= left
    return Headroom(
        line=line,
        absent=absent,
        possible=possible,
        ahead=left,
        may_miss_this_year=min(by_year_end, left) if by_year_end >= 0 else None,
        may_miss_in_a_row=in_a_row if not reached and in_a_row < left else None,
        attend_in_a_row=attend if enough else None,
        back_on=ahead[attend - 1] if reached and enough else None,
    )
