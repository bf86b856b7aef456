"""The rates of a plan's marks, counted as published figures are, so that the two can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo.marks import marks
from demo.sessions import SESSIONS_A_WEEK, sessions_of
from demo.sources import TABLES
from demo.terms import calendar_of
from portal.rules.codes import Category

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.plans import Plan
    from demo.seeded_random import Bytes, Ints

YEAR_11 = 11
SUMMER_SECOND_HALF = 6


@dataclass(frozen=True, slots=True)
class Rates:
    """One phase's rates in per cent, with their enrolments, possible sessions and counts by code byte."""

    enrolments: int
    possible: int
    absence: float
    unauthorised: float
    persistent: float
    severe: float
    by_byte: Ints

    def per_thousand(self, byte: int) -> float:
        """How many of a thousand possible sessions carry a code."""
        return 1000 * float(self.by_byte[byte]) / self.possible


def rates(plan: Plan, academic_year: int) -> Mapping[str, Rates]:
    """The plan's rates for an academic year by phase (primary, secondary, special), over DfE's headline population.

    It counts ages 5 to 15 at the start of the year, and Year 11 without the second half of the summer term. Persistent and
    severe absence are counted by enrolment, of its own possible sessions.
    """
    sums: dict[str, list[tuple[Ints, Ints, Ints]]] = {phase: [] for phase in TABLES}
    for (urn, year), register in plan.registers.items():
        phase = plan.school(urn).phase
        if year == academic_year and phase in sums:
            sums[phase].append(_by_line(plan, urn, year, marks(plan, urn, year), register.levels.group))
    return {phase: _rates(parts) for phase, parts in sums.items() if parts}


def _by_line(plan: Plan, urn: str, year: int, drawn: Bytes, year_group: Ints) -> tuple[Ints, Ints, Ints]:
    """Absent and possible sessions of each counted line, and the count of each byte."""
    sessions = sessions_of(calendar_of(plan.terms, plan.closed, urn, year))
    summer_slots = sessions.slot[sessions.half_term == SUMMER_SECOND_HALF]
    summer_slots = summer_slots[summer_slots < drawn.shape[1] * SESSIONS_A_WEEK]
    by_slot = drawn.reshape(len(drawn), -1).copy()
    by_slot[np.ix_(year_group == YEAR_11, summer_slots)] = 0
    by_slot = by_slot[(year_group > 0) & (year_group <= YEAR_11)]
    category = by_slot >> 5
    absent = (category == Category.AUTHORISED) | (category == Category.UNAUTHORISED)
    possible = absent | (category == Category.PRESENT) | (category == Category.APPROVED)
    return absent.sum(axis=1), possible.sum(axis=1), np.bincount(by_slot.ravel(), minlength=256)


def _rates(parts: list[tuple[Ints, Ints, Ints]]) -> Rates:
    absent = np.concatenate([part[0] for part in parts])
    possible = np.concatenate([part[1] for part in parts])
    by_byte = np.sum([part[2] for part in parts], axis=0)
    enrolled = possible > 0
    absent, possible = absent[enrolled], possible[enrolled]
    unauthorised = int(by_byte[int(Category.UNAUTHORISED) << 5 : (int(Category.UNAUTHORISED) + 1) << 5].sum())
    total = int(possible.sum())
    return Rates(
        enrolments=possible.size,
        possible=total,
        absence=100 * int(absent.sum()) / total,
        unauthorised=100 * unauthorised / total,
        persistent=100 * float((absent * 10 >= possible).mean()),
        severe=100 * float((absent * 2 >= possible).mean()),
        by_byte=by_byte,
    )
