"""One pupil's marks at one school: letters by session, with corrections applied and counted against the calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.calendar import Between, Calendar, Session
from portal.rules.codes import BY_LETTERS, Code
from portal.rules.tally import Tally

if TYPE_CHECKING:
    from datetime import date

#: The letters that stand for each session. A session left out has no mark.
Marks = Mapping[Session, str]


@dataclass(frozen=True, slots=True)
class Amendment:
    """A correction to the register: what the session's code became, and the day it was corrected."""

    session: Session
    letters: str
    amended_on: date


def standing_marks(marks: Marks, amendments: Iterable[Amendment]) -> dict[Session, str]:
    """The marks that stand once corrections are made: for each session the latest one, whenever it was made.

    Of two corrections made on one day, the one given last stands.
    """
    standing = dict(marks)
    for amendment in sorted(amendments, key=lambda each: each.amended_on):
        standing[amendment.session] = amendment.letters
    return standing


def codes_held(marks: Marks, calendar: Calendar, between: Between | None = None) -> Iterable[tuple[Session, Code]]:
    """Each session of the calendar that has a mark, in order of time, with its code.

    Marks outside the calendar are left out: the calendar alone decides what is a session. Raises KeyError for letters
    that are no code.
    """
    for session in calendar.sessions(between):
        letters = marks.get(session)
        if letters is not None:
            yield session, BY_LETTERS[letters]


def tally_of(marks: Marks, calendar: Calendar, between: Between | None = None) -> Tally:
    """A pupil's tally on the school's own sessions between two days; a session with no mark counts as missing."""
    held = Counter(code.byte for _, code in codes_held(marks, calendar, between))
    held[0] = calendar.count(between) - held.total()
    return Tally.from_counts(held)
