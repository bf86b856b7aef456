"""How close the invented rates are to the published ones. The tolerances cover eight seeds, rounded up."""

from __future__ import annotations

from datetime import date

import pytest

from demo.authorities import plan_authority
from demo.rates import rates
from demo.sources import calibrations, published
from portal.rules.codes import CODES_BY_SYMBOL

#: Percentage points either side, at 60 schools and 24,000 pupils: absence, unauthorised, persistent, severe.
AT_60 = {"primary": (0.15, 0.08, 0.5, 0.1), "secondary": (0.25, 0.12, 0.6, 0.35), "special": (1.2, 0.7, 3.0, 0.8)}
#: At 24 schools and 9,000 pupils, one special school's pupils weigh a lot.
AT_24 = {"primary": (0.35, 0.15, 0.95, 0.2), "secondary": (0.6, 0.3, 1.2, 0.7), "special": (1.5, 1.0, 3.0, 1.5)}
MEASURES = ("absence", "unauthorised", "persistent", "severe")


@pytest.mark.parametrize(("schools", "pupils", "tolerances"), [(24, 9000, AT_24), (60, 24000, AT_60)])
def test_last_years_rates_are_close_to_the_published_ones(
    schools: int, pupils: int, tolerances: dict[str, tuple[float, float, float, float]]
) -> None:
    by_phase = rates(plan_authority(11, today=date(2026, 11, 25), schools=schools, pupils=pupils), 2025)
    for phase, allowed in tolerances.items():
        for measure, points in zip(MEASURES, allowed, strict=True):
            assert getattr(by_phase[phase], measure) == pytest.approx(published()[phase][measure], abs=points), (phase, measure)
    for phase, calibration in zip(("primary", "secondary"), calibrations(), strict=False):
        for code in ("I", "O", "M", "C", "L", "U"):
            expected = calibration.per_thousand[code]
            assert by_phase[phase].per_thousand(CODES_BY_SYMBOL[code].byte) == pytest.approx(expected, rel=0.2), (phase, code)


def test_poorer_pupils_miss_more() -> None:
    """FSM 33% against 13% persistently absent in 2024/25, all phases: a gap that wide must show."""
    plan = plan_authority(11, today=date(2026, 11, 25), schools=24, pupils=9000)
    poorer = {
        pupil.number for pupil in plan.pupils if any(characteristic.kind == "fsm" for characteristic in pupil.characteristics)
    }
    share = {True: [0, 0], False: [0, 0]}
    for (urn, year), register in plan.registers.items():
        if year == 2025 and plan.school(urn).phase == "secondary":
            for line, rate in zip(register.lines, register.levels.rate, strict=True):
                counts = share[line.pupil in poorer]
                counts[0] += rate >= 0.1
                counts[1] += 1
    with_meals, without = (100 * share[has_fsm][0] / share[has_fsm][1] for has_fsm in (True, False))
    assert 32 < with_meals < 50
    assert 12 < without < 25
    assert with_meals > 1.8 * without
