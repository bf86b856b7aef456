"""One pupil's marks at one school: codes by session, corrected and counted on the school's calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.calendar import Between, Calendar, Session
from portal.rules.codes import CODES_BY_SYMBOL, Code, is_mark
from portal.rules.session_counts import SessionCounts

if TYPE_CHECKING:
    from datetime import date

#: The standing code of each session, as written in a register. A session left out has no mark.
Marks = Mapping[Session, str]


@dataclass(frozen=True, slots=True)
class Amendment:
    """A correction to the register: the session's new code, and the day it was corrected."""

    session: Session
    code: str
    amended_on: date


def standing_marks(marks: Marks, amendments: Iterable[Amendment]) -> dict[Session, str]:
    """The marks that stand after all corrections: for each session the latest one, however late.

    Of two corrections made on one day, the one given last stands.
    """
    standing = dict(marks)
    # The sort is stable, so corrections of one day keep the order they were given in.
    for amendment in sorted(amendments, key=lambda amendment: amendment.amended_on):
        standing[amendment.session] = amendment.code
    return standing


def coded_sessions(marks: Marks, calendar: Calendar, between: Between | None = None) -> Iterable[tuple[Session, Code]]:
    """Each session of the calendar that has a mark, in order of time, with its code.

    Marks outside the calendar are left out: the calendar alone decides what is a session. # and Z are no marks. Raises
    KeyError for an unknown code.
    """
    for session in calendar.sessions(between):
        symbol = marks.get(session)
        if symbol is None:
            continue
        code = CODES_BY_SYMBOL[symbol]
        if is_mark(code.byte):
            yield session, code


def counts_of(marks: Marks, calendar: Calendar, between: Between | None = None) -> SessionCounts:
    """A pupil's counts on the school's own sessions between two days. A session without a mark is missing."""
    counts = Counter(code.byte for _, code in coded_sessions(marks, calendar, between))
    counts[0] = calendar.count(between) - counts.total()
    return SessionCounts.from_counts(counts)
