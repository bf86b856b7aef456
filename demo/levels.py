"""How much each pupil misses in a year: the published distribution, shifted by circumstances and school."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from demo.plans import Levels
from demo.seeded_random import stratified, stream
from demo.sources import TABLES, calibrations, heritages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.plans import Pupil, School
    from demo.rolls import Enrolment
    from demo.seeded_random import Bools, Floats, Ints

YEAR_6, YEAR_7, YEAR_11 = 6, 7, 11
PRIMARY, SECONDARY, SPECIAL = range(len(TABLES))
#: Shifts of a pupil's normal score, derived from persistent absence in 2022/23 (DfE): primary, secondary.
FSM_AND_SEN, FSM_ONLY, SEN_ONLY, NEITHER = (0.64, 0.73), (0.37, 0.43), (0.09, 0.12), (-0.29, -0.26)
GIRLS = (-0.02, 0.035)
BY_YEAR = (0.12, 0.14, 0.02, -0.03, -0.03, -0.01, -0.01, -0.22, -0.03, 0.07, 0.10, 0.11, 0.0, 0.0)
#: CIN, child protection plan, looked after: DfE LA Interactive Tool, 2025.
CARE = {"child_in_need": 0.81, "child_protection_plan": 1.05, "looked_after": 0.08}
PART_YEAR, WHOLE_YEAR = 0.75, -0.088
#: How much of a pupil's own score, and of a school's effect, stays the same from one year to the next.
PUPIL_STABILITY, SCHOOL_STABILITY = 0.70, 0.85
#: Pupils in alternative provision have a special school's distribution, shifted by this much.
ALTERNATIVE = 0.9
LATE_SPREAD, LATE_WITH_ABSENCE = 1.1, 0.45


def levels_of(
    seed: int, schools: Sequence[School], pupils: Mapping[int, Pupil], enrolments: Sequence[Enrolment], year: int
) -> dict[str, tuple[list[Enrolment], Levels]]:
    """A year's enrolments and levels for each school, by URN.

    The enrolments keep the order given, and the levels have the same order. Scores are ranked within each phase over the
    whole authority and read off the published distribution by rank. Shifts and schools therefore change who is absent, and
    not how many are.
    """
    of_year = [enrolment for enrolment in enrolments if enrolment.year == year]
    table = _tables(of_year)
    score = _scores(seed, schools, pupils, of_year)
    rate = _rates(score, table, _is_ranked(of_year))
    of_pupil = [pupils[enrolment.child] for enrolment in of_year]
    levels = Levels(
        group=np.array([enrolment.group for enrolment in of_year]),
        table=table,
        rate=rate,
        lateness=_lateness(seed, score, year),
        observant=_has_ethnicity(of_pupil, {heritage.ethnicity for heritage in heritages() if heritage.faith}),
        mobile=_has_ethnicity(of_pupil, {heritage.ethnicity for heritage in heritages() if heritage.mobile}),
        male=np.array([pupil.sex == "M" for pupil in of_pupil]),
        away=np.array([enrolment.away for enrolment in of_year]),
    )
    by_urn: dict[str, list[int]] = {}
    for index, enrolment in enumerate(of_year):
        by_urn.setdefault(enrolment.school.urn, []).append(index)
    return {urn: ([of_year[index] for index in indexes], reorder(levels, indexes)) for urn, indexes in by_urn.items()}


def reorder(levels: Levels, indexes: Sequence[int]) -> Levels:
    """The levels of some lines, in the order of their indexes."""
    order = list(indexes)
    return replace(levels, **{parameter.name: getattr(levels, parameter.name)[order] for parameter in fields(levels)})


def _has_ethnicity(pupils: Sequence[Pupil], codes: set[str]) -> Bools:
    return np.array([pupil.ethnicity in codes for pupil in pupils])


def _is_ranked(enrolments: Sequence[Enrolment]) -> Bools:
    """The enrolments whose scores set the ranks.

    The published figures count Years 1 to 11 outside alternative provision, so these do too.
    """
    return np.array([0 < enrolment.group <= YEAR_11 and enrolment.school.phase != "alternative" for enrolment in enrolments])


def _tables(enrolments: Sequence[Enrolment]) -> Ints:
    """The phase whose figures each enrolment is drawn from.

    It follows the year group; special schools and alternative provision use the special schools' figures.
    """
    table = np.where(np.array([enrolment.group for enrolment in enrolments]) >= YEAR_7, SECONDARY, PRIMARY)
    table[[enrolment.school.phase in {"special", "alternative"} for enrolment in enrolments]] = SPECIAL
    return table


def _scores(seed: int, schools: Sequence[School], pupils: Mapping[int, Pupil], enrolments: Sequence[Enrolment]) -> Floats:
    """Normal scores of the enrolments.

    A score adds up a part that stays with the pupil over the years, a part of this year, the school's effect and the
    shifts of the pupil's circumstances.
    """
    year = enrolments[0].year
    numbers = np.array([enrolment.child for enrolment in enrolments])
    count = int(numbers.max()) + 1
    steady = stream(seed, "steady").standard_normal(count)[numbers]
    this_year = stream(seed, "fresh", year).standard_normal(count)[numbers]
    own = np.sqrt(PUPIL_STABILITY) * steady + np.sqrt(1 - PUPIL_STABILITY) * this_year
    of_school = _school_effects(seed, schools, year)[[enrolment.school.number for enrolment in enrolments]]
    school_share = np.array([calibration.between_schools for calibration in calibrations()])[_tables(enrolments)]
    shift = np.array([_shift(enrolment, pupils[enrolment.child]) for enrolment in enrolments])
    shift += ALTERNATIVE * np.array([enrolment.school.phase == "alternative" for enrolment in enrolments])
    score: Floats = np.sqrt(1 - school_share) * own + np.sqrt(school_share) * of_school + shift
    return score


def _school_effects(seed: int, schools: Sequence[School], year: int) -> Floats:
    """A score for each school, evenly spread within its phase and stable from year to year."""
    effects = np.zeros(len(schools))
    for phase in dict.fromkeys(school.phase for school in schools):
        numbers = [school.number for school in schools if school.phase == phase]
        steady = stratified(stream(seed, f"effects {phase}"), len(numbers))
        this_year = stratified(stream(seed, f"effects {phase}", year), len(numbers))
        effects[numbers] = SCHOOL_STABILITY * steady + np.sqrt(1 - SCHOOL_STABILITY**2) * this_year
    return effects


def _shift(enrolment: Enrolment, pupil: Pupil) -> float:
    kinds = {characteristic.kind for characteristic in pupil.characteristics}
    is_secondary = int(enrolment.group > YEAR_6)
    has_fsm, has_sen = "fsm" in kinds, "sen_provision" in kinds
    shift = (FSM_AND_SEN if has_fsm and has_sen else FSM_ONLY if has_fsm else SEN_ONLY if has_sen else NEITHER)[is_secondary]
    shift += GIRLS[is_secondary] * (1 if pupil.sex == "F" else -1) + BY_YEAR[enrolment.group]
    shift += sum(CARE.get(kind, 0.0) for kind in kinds)
    return shift + (PART_YEAR if enrolment.part_year else WHOLE_YEAR)


def _rates(score: Floats, table: Ints, is_ranked: Bools) -> Floats:
    rate = np.zeros(len(score))
    for index, calibration in enumerate(calibrations()):
        of_phase = table == index
        ranked = np.sort(score[of_phase & is_ranked])
        if ranked.size == 0:
            ranked = np.sort(score[of_phase])
        share = (np.searchsorted(ranked, score[of_phase], side="left") + 0.5) / (ranked.size + 1)
        rate[of_phase] = np.minimum(np.interp(share, calibration.quantile, calibration.rate) * calibration.level, 1)
    return rate


def _lateness(seed: int, score: Floats, year: int) -> Floats:
    """Each pupil's multiple of the usual chance of being late.

    The distribution is skewed, with a mean of 1, and somewhat higher for pupils who miss more.
    """
    spread = (score - score.mean()) / (score.std() or 1.0)
    own = stream(seed, "lateness", year).standard_normal(len(score))
    mixed = LATE_WITH_ABSENCE * spread + np.sqrt(1 - LATE_WITH_ABSENCE**2) * own
    times: Floats = np.exp(LATE_SPREAD * mixed - LATE_SPREAD**2 / 2)
    return times
