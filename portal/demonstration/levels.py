"""How much each pupil misses in a year: drawn from the published distribution, shifted by circumstances and school."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.plans import Levels
from portal.demonstration.sources import TABLES, calibrations, heritages
from portal.demonstration.streams import stratified, stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.demonstration.plans import Pupil, School
    from portal.demonstration.rolls import Spot
    from portal.demonstration.streams import Floats, Truths, Whole

YEAR_6, YEAR_7, YEAR_11 = 6, 7, 11
PRIMARY, SECONDARY, SPECIAL = range(len(TABLES))
#: Shifts of a pupil's normal score, derived from persistent absence in 2022/23 (DfE): primary, secondary.
FSM_AND_SEN, FSM_ONLY, SEN_ONLY, NEITHER = (0.64, 0.73), (0.37, 0.43), (0.09, 0.12), (-0.29, -0.26)
GIRLS = (-0.02, 0.035)
BY_YEAR = (0.12, 0.14, 0.02, -0.03, -0.03, -0.01, -0.01, -0.22, -0.03, 0.07, 0.10, 0.11, 0.0, 0.0)
#: CIN, child protection plan, looked after: DfE LA Interactive Tool, 2025.
CARE = {"child_in_need": 0.81, "child_protection_plan": 1.05, "looked_after": 0.08}
PART_YEAR, WHOLE_YEAR = 0.75, -0.088
#: Of a pupil's own score, what stays from one year to the next; of a school's effect, likewise.
PUPIL_STAYS, SCHOOL_STAYS = 0.70, 0.85
#: Pupils in alternative provision: a special school's distribution, much further along.
ALTERNATIVE = 0.9
LATE_SPREAD, LATE_WITH_ABSENCE = 1.1, 0.45


def levels_of(
    seed: int, schools: Sequence[School], pupils: Mapping[int, Pupil], spots: Sequence[Spot], year: int
) -> dict[str, tuple[list[Spot], Levels]]:
    """For each school (by URN) its places in a year, in the order given, with what their marks are drawn from.

    Scores are ranked within each phase over the whole authority and read off the published distribution by rank, so
    that shifts and schools change who misses school and not how many do.
    """
    here = [spot for spot in spots if spot.year == year]
    table = _tables(here)
    score = _scores(seed, schools, pupils, here)
    rate = _rates(score, table, _counted(here))
    people = [pupils[spot.child] for spot in here]
    whole = Levels(
        group=np.array([spot.group for spot in here]),
        table=table,
        rate=rate,
        lateness=_lateness(seed, score, year),
        observant=_of_ethnicity(people, {one.ethnicity for one in heritages() if one.faith}),
        mobile=_of_ethnicity(people, {one.ethnicity for one in heritages() if one.mobile}),
        male=np.array([pupil.sex == "M" for pupil in people]),
        away=np.array([spot.away for spot in here]),
    )
    by_urn: dict[str, list[int]] = {}
    for place, spot in enumerate(here):
        by_urn.setdefault(spot.school.urn, []).append(place)
    return {urn: ([here[place] for place in places], in_order(whole, places)) for urn, places in by_urn.items()}


def in_order(levels: Levels, order: Sequence[int]) -> Levels:
    """The levels of some lines, in the order of their places."""
    chosen = list(order)
    return replace(levels, **{one.name: getattr(levels, one.name)[chosen] for one in fields(levels)})


def _of_ethnicity(people: Sequence[Pupil], codes: set[str]) -> Truths:
    return np.array([pupil.ethnicity in codes for pupil in people])


def _counted(here: Sequence[Spot]) -> Truths:
    """The places whose scores set the ranks: Years 1 to 11 outside alternative provision, as the figures count them."""
    return np.array([0 < spot.group <= YEAR_11 and spot.school.phase != "alternative" for spot in here])


def _tables(here: Sequence[Spot]) -> Whole:
    """Which phase's figures each place is drawn from: by year group, and a special school's for alternative provision."""
    table = np.where(np.array([spot.group for spot in here]) >= YEAR_7, SECONDARY, PRIMARY)
    table[[spot.school.phase in {"special", "alternative"} for spot in here]] = SPECIAL
    return table


def _scores(seed: int, schools: Sequence[School], pupils: Mapping[int, Pupil], here: Sequence[Spot]) -> Floats:
    """Normal scores: own, steady over the years in part; the school's; and the shifts of circumstances."""
    year = here[0].year
    numbers = np.array([spot.child for spot in here])
    most = int(numbers.max()) + 1
    steady = stream(seed, "steady").standard_normal(most)[numbers]
    fresh = stream(seed, "fresh", year).standard_normal(most)[numbers]
    own = np.sqrt(PUPIL_STAYS) * steady + np.sqrt(1 - PUPIL_STAYS) * fresh
    of_school = _school_effects(seed, schools, year)[[spot.school.house for spot in here]]
    between = np.array([one.between_schools for one in calibrations()])[_tables(here)]
    shift = np.array([_shift(spot, pupils[spot.child]) for spot in here])
    shift += ALTERNATIVE * np.array([spot.school.phase == "alternative" for spot in here])
    score: Floats = np.sqrt(1 - between) * own + np.sqrt(between) * of_school + shift
    return score


def _school_effects(seed: int, schools: Sequence[School], year: int) -> Floats:
    """A score for each school, evenly spread within its phase and steady from year to year."""
    effects = np.zeros(len(schools))
    for phase in dict.fromkeys(school.phase for school in schools):
        here = [school.house for school in schools if school.phase == phase]
        steady = stratified(stream(seed, f"effects {phase}"), len(here))
        fresh = stratified(stream(seed, f"effects {phase}", year), len(here))
        effects[here] = SCHOOL_STAYS * steady + np.sqrt(1 - SCHOOL_STAYS**2) * fresh
    return effects


def _shift(spot: Spot, pupil: Pupil) -> float:
    kinds = {one.kind for one in pupil.characteristics}
    senior = int(spot.group > YEAR_6)
    fsm, sen = "fsm" in kinds, "sen_provision" in kinds
    shift = (FSM_AND_SEN if fsm and sen else FSM_ONLY if fsm else SEN_ONLY if sen else NEITHER)[senior]
    shift += GIRLS[senior] * (1 if pupil.sex == "F" else -1) + BY_YEAR[spot.group]
    shift += sum(CARE.get(kind, 0.0) for kind in kinds)
    return shift + (PART_YEAR if spot.part_year else WHOLE_YEAR)


def _rates(score: Floats, table: Whole, counted: Truths) -> Floats:
    rate = np.zeros(len(score))
    for number, calibration in enumerate(calibrations()):
        chosen = table == number
        ranked = np.sort(score[chosen & counted])
        if ranked.size == 0:
            ranked = np.sort(score[chosen])
        share = (np.searchsorted(ranked, score[chosen], side="left") + 0.5) / (ranked.size + 1)
        rate[chosen] = np.minimum(np.interp(share, calibration.quantile, calibration.rate) * calibration.level, 1)
    return rate


def _lateness(seed: int, score: Floats, year: int) -> Floats:
    """Times the usual chance of coming late: skewed, a mean of 1, and somewhat more where more is missed."""
    spread = (score - score.mean()) / (score.std() or 1.0)
    own = stream(seed, "lateness", year).standard_normal(len(score))
    mixed = LATE_WITH_ABSENCE * spread + np.sqrt(1 - LATE_WITH_ABSENCE**2) * own
    times: Floats = np.exp(LATE_SPREAD * mixed - LATE_SPREAD**2 / 2)
    return times
