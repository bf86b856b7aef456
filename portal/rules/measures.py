"""Persistent and severe absence, and which pupils DfE counts in its headline figures.

Whole numbers decide: a pupil at exactly 10% is persistently absent, and nothing is rounded first. Neither line is a
legal test, and neither means anything over a week or a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.calendar import register_year, week_of
from portal.rules.explanations import Fact, Source
from portal.rules.school_age import age_at_start
from portal.rules.session_counts import SessionCounts, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = [
    "PERSISTENT",
    "SEVERE",
    "Absence",
    "Line",
    "Population",
    "SessionCounts",
    "absence_of",
    "headline_counts",
    "is_in_headline",
    "is_persistently_absent",
    "is_severely_absent",
    "population",
    "rounded",
    "severity_band",
]


@dataclass(frozen=True, slots=True)
class Line:
    """A level of absence, such as 10%. It is reached when absent x `out_of` >= possible x `parts`."""

    name: str
    parts: int
    out_of: int
    source: Source

    def reached(self, absent: int, possible: int) -> bool:
        """Whether the line is reached. Never with no possible session."""
        # Multiplied out, not divided: 10% of 100 must be reached exactly, without a floating-point error.
        return possible > 0 and absent * self.out_of >= possible * self.parts


PERSISTENT = Line(
    "persistently absent",
    1,
    10,
    Source("DfE, Pupil absence in schools in England: methodology", "10% or more of own possible sessions"),
)
SEVERE = Line(
    "severely absent",
    1,
    2,
    Source("DfE, Pupil absence in schools in England: methodology", "50% or more of own possible sessions"),
)
#: Ages on 31 August before the academic year (DfE, Pupil absence in schools in England: methodology).
HEADLINE_AGES = range(5, 16)
RECEPTION_AGE = 4
YEAR_11_AGE = 15
#: The width of DfE's bands of absence, in percentage points.
BAND_WIDTH = 5


def is_persistently_absent(absent: int, possible: int) -> bool:
    """Whether a pupil missed 10% or more of their own possible sessions."""
    return PERSISTENT.reached(absent, possible)


def is_severely_absent(absent: int, possible: int) -> bool:
    """Whether a pupil missed 50% or more of their own possible sessions. Such a pupil is persistently absent too."""
    return SEVERE.reached(absent, possible)


def severity_band(absent: int, possible: int) -> int | None:
    """The lower end of DfE's 5-point band of absence: 0, 5, … 95, or 100. None with nothing possible."""
    return absent * (100 // BAND_WIDTH) // possible * BAND_WIDTH if possible else None


class Population(StrEnum):
    """Which of DfE's groups a pupil falls in for a year, by age on 31 August before it."""

    HEADLINE = "headline"
    RECEPTION = "reception"
    NURSERY = "nursery"
    POST_16 = "post-16"


def population(dob: date, year: int) -> Population:
    """The group a pupil born that day falls in for an academic year. Four-year-olds are published separately."""
    age = age_at_start(dob, year)
    if age in HEADLINE_AGES:
        return Population.HEADLINE
    if age > YEAR_11_AGE:
        return Population.POST_16
    return Population.RECEPTION if age == RECEPTION_AGE else Population.NURSERY


def is_in_headline(dob: date, on: date, year_11_until: date) -> bool:
    """Whether DfE's headline figures count a pupil's sessions of that day.

    `year_11_until` is the day that `half_terms.year_11_last_day` gives for the academic year of `on`. For a pupil aged
    15 at the start of the year, sessions after it are left out.
    """
    year = register_year(week_of(on))
    if population(dob, year) is not Population.HEADLINE:
        return False
    return not (age_at_start(dob, year) == YEAR_11_AGE and on > year_11_until)


def headline_counts(marks: Iterable[tuple[date, int]], dob: date, year_11_until: date) -> SessionCounts:
    """One pupil's marks (day, code byte) of one academic year, counted as the headline figures count them."""
    return SessionCounts.of(byte for on, byte in marks if is_in_headline(dob, on, year_11_until))


@dataclass(frozen=True, slots=True)
class Absence:
    """A pupil's absence against the two lines, from whole numbers of sessions."""

    absent: int
    possible: int

    @property
    def persistent(self) -> bool:
        """Whether the pupil missed 10% or more."""
        return is_persistently_absent(self.absent, self.possible)

    @property
    def severe(self) -> bool:
        """Whether the pupil missed 50% or more."""
        return is_severely_absent(self.absent, self.possible)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if not self.possible:
            return "There are no possible sessions, so there is no absence rate."
        position = "below 10%, so does not count as persistently absent"
        if self.severe:
            position = "at or above 50%, so counts as severely absent"
        elif self.persistent:
            position = "at or above 10%, so counts as persistently absent"
        return f"Missed {self.absent} of {self.possible} possible sessions: {position}."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The two numbers, and each line's test in whole numbers."""
        return (
            Fact("Sessions missed", str(self.absent)),
            Fact("Possible sessions", str(self.possible)),
            Fact("10% line", f"{self.absent} times 10 = {self.absent * 10}, against {self.possible}"),
            Fact("50% line", f"{self.absent} times 2 = {self.absent * 2}, against {self.possible}"),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the two lines come from."""
        return (PERSISTENT.source, SEVERE.source)


def absence_of(counts: SessionCounts) -> Absence:
    """Session counts's absence against the two lines."""
    return Absence(counts.absent, counts.possible)
