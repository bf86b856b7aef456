"""The history of the rules on penalty notices, each with the dates it was in force.

A notice is judged by the rules of the day it was issued. A change in the law is a new row, never an edit of an old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.rules.codes import DAY_BEFORE_REGULATIONS, REGULATIONS_START
from portal.rules.explanations import Source

SI_2007 = "Education (Penalty Notices) (England) Regulations 2007 (SI 2007/1867)"
NATIONAL_SOURCE = Source(SI_2007, "regulation 4 as amended by SI 2024/210, in force 19 August 2024", first_day=REGULATIONS_START)
THRESHOLD_SOURCE = Source(
    "Working together to improve school attendance",
    "chapter 6: ten sessions of unauthorised absence in a rolling ten school weeks",
    first_day=REGULATIONS_START,
)
LIMIT_SOURCE = Source(
    "Working together to improve school attendance",
    "chapter 6: two notices to each parent for each child in three years",
    first_day=REGULATIONS_START,
)
SOURCE_2013 = Source(
    SI_2007,
    "regulation 4 as amended by SI 2013/757",
    first_day=date(2013, 9, 1),
    last_day=DAY_BEFORE_REGULATIONS,
    note="The first day is to be confirmed against the amending regulations.",
)
EXCLUDED_SOURCE = Source(SI_2007, "regulation 4(1), kept by SI 2024/210", note="Amounts for 2026 are to be confirmed.")
SECTION_444A = Source("Education Act 1996", "sections 444A and 444B")


@dataclass(frozen=True, slots=True)
class Amounts:
    """The amounts of a notice, in whole pounds.

    `reduced` is due until the end of day `reduced_days`, `full` from then until the end of day `full_days`. Day 1 is
    the day the notice is received.
    """

    reduced: int
    full: int
    source: Source
    reduced_days: int = 21
    full_days: int = 28

    @property
    def is_flat(self) -> bool:
        """Whether paying early costs the same."""
        return self.reduced == self.full


@dataclass(frozen=True, slots=True)
class Framework:
    """The rules for one power to give notices, and the days on which they are in force.

    `second` is None where every notice was at the same rate. `limit` is the most notices to a parent for a child in
    `limit_years`, None where there was no national limit. `threshold` is sessions within `threshold_weeks` school
    weeks, None where each authority set its own.
    """

    name: str
    power: str
    first_day: date
    last_day: date | None
    first: Amounts
    second: Amounts | None
    limit: int | None
    limit_years: int | None
    threshold: int | None
    threshold_weeks: int | None
    sources: tuple[Source, ...]

    def is_in_force(self, on: date) -> bool:
        """Whether these rules are in force on a day."""
        return self.first_day <= on and (self.last_day is None or on <= self.last_day)


NATIONAL_2024 = Framework(
    name="National framework for penalty notices",
    power="s444A",
    first_day=REGULATIONS_START,
    last_day=None,
    first=Amounts(80, 160, NATIONAL_SOURCE),
    second=Amounts(160, 160, NATIONAL_SOURCE),
    limit=2,
    limit_years=3,
    threshold=10,
    threshold_weeks=10,
    sources=(NATIONAL_SOURCE, THRESHOLD_SOURCE, LIMIT_SOURCE, SECTION_444A),
)
LOCAL_CODES_2013 = Framework(
    name="Local codes of conduct before the national framework",
    power="s444A",
    first_day=date(2013, 9, 1),
    last_day=DAY_BEFORE_REGULATIONS,
    first=Amounts(60, 120, SOURCE_2013),
    second=None,
    limit=None,
    limit_years=None,
    threshold=None,
    threshold_weeks=None,
    sources=(SOURCE_2013, SECTION_444A),
)
EXCLUDED_PUPILS = Framework(
    name="Excluded pupil in a public place",
    power="s105",
    first_day=date(2013, 9, 1),
    last_day=None,
    first=Amounts(60, 120, EXCLUDED_SOURCE),
    second=None,
    limit=None,
    limit_years=None,
    threshold=None,
    threshold_weeks=None,
    sources=(Source("Education and Inspections Act 2006", "sections 103 to 105"), EXCLUDED_SOURCE),
)
#: Every set of rules the portal knows, for both powers. For one power their dates never overlap.
HISTORY: tuple[Framework, ...] = (LOCAL_CODES_2013, NATIONAL_2024, EXCLUDED_PUPILS)


def framework_on(on: date, power: str = "s444A") -> Framework:
    """The rules for a power on a day. Raises LookupError where the history has none."""
    for framework in HISTORY:
        if framework.power == power and framework.is_in_force(on):
            return framework
    message = f"There are no rules for {power} notices on {on.isoformat()}. Add a row to the framework's history."
    raise LookupError(message)
