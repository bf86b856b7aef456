"""The history of penalty notices for absence: what the rules were, and the dates on which each held.

A notice is judged by the rules of the day it was issued. A change in the law is a new row, never an edit of an old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.rules.codes import CODES_OF_2024, DAY_BEFORE
from portal.rules.explanations import Source

SI_2007 = "Education (Penalty Notices) (England) Regulations 2007 (SI 2007/1867)"
NATIONAL_SOURCE = Source(SI_2007, "regulation 4 as amended by SI 2024/210, in force 19 August 2024", first_day=CODES_OF_2024)
THRESHOLD_SOURCE = Source(
    "Working together to improve school attendance",
    "chapter 6: ten sessions of unauthorised absence in a rolling ten school weeks",
    first_day=CODES_OF_2024,
)
LIMIT_SOURCE = Source(
    "Working together to improve school attendance",
    "chapter 6: two notices to each parent for each child in three years",
    first_day=CODES_OF_2024,
)
SOURCE_2013 = Source(
    SI_2007,
    "regulation 4 as amended by SI 2013/757",
    first_day=date(2013, 9, 1),
    last_day=DAY_BEFORE,
    note="The first day is to be confirmed against the amending regulations.",
)
EXCLUDED_SOURCE = Source(SI_2007, "regulation 4(1), kept by SI 2024/210", note="Amounts for 2026 are to be confirmed.")
SECTION_444A = Source("Education Act 1996", "sections 444A and 444B")


@dataclass(frozen=True, slots=True)
class Amounts:
    """Whole pounds due to the end of the reduced period, and from then to the end of the notice.

    Both periods are in days, the day the notice is received being day 1.
    """

    reduced: int
    full: int
    source: Source
    reduced_days: int = 21
    full_days: int = 28

    @property
    def is_flat(self) -> bool:
        """Whether nothing is taken off for paying early."""
        return self.reduced == self.full


@dataclass(frozen=True, slots=True)
class Framework:
    """The rules for one power to give notices, and the days on which they hold.

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

    def holds(self, on: date) -> bool:
        """Whether these rules hold on a day."""
        return self.first_day <= on and (self.last_day is None or on <= self.last_day)


NATIONAL_2024 = Framework(
    name="National framework for penalty notices",
    power="s444A",
    first_day=CODES_OF_2024,
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
    last_day=DAY_BEFORE,
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
#: Every set of rules the portal knows, for both powers.
HISTORY: tuple[Framework, ...] = (LOCAL_CODES_2013, NATIONAL_2024, EXCLUDED_PUPILS)


def framework_on(on: date, power: str = "s444A") -> Framework:
    """The rules for a power on a day. Raises LookupError for a day, or a power, the history does not reach."""
    for framework in HISTORY:
        if framework.power == power and framework.holds(on):
            return framework
    message = f"No rules are held for {power} notices on {on.isoformat()}. Add a row to the framework's history."
    raise LookupError(message)
