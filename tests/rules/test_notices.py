"""Notices and their framework, an authority's settings, and notices for excluded pupils."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.act_2026 import ACT_PARTS, ROYAL_ASSENT
from portal.rules.calendar import Calendar, Span
from portal.rules.excluded_pupils import Sighting, days_of_duty, excluded_pupil_notice
from portal.rules.framework import EXCLUDED_PUPILS, HISTORY, LOCAL_CODES_2013, NATIONAL_2024, framework_on
from portal.rules.notices import Power, PreviousNotice, Result, Status, anniversary, notice_for, notices_for
from portal.rules.policy import Doubt, Policy

ON = date(2027, 10, 10)
#: Its third anniversary is the proposed date.
ON_ANNIVERSARY = date(2024, 10, 10)


def earlier(
    issued_on: date = date(2026, 1, 12),
    status: Status = Status.PAID,
    *,
    power: Power = Power.S444A,
    last: date | None = None,
) -> PreviousNotice:
    return PreviousNotice("Parent 1", "Child 1", issued_on, status, power, "LA-A", last)


def result(*previous: PreviousNotice, policy: Policy | None = None) -> Result:
    return notice_for("Parent 1", "Child 1", ON, previous, policy or Policy()).result


def test_the_sentence_for_each_result() -> None:
    first, second = notices_for(["Parent 2", "Parent 1"], "Child 1", ON, [earlier()])
    assert "A first notice may be considered: £80 within 21 days, or £160 within 28 days." in first.sentence
    assert "1 counted notice for this child in the three years to 10 October 2027." in second.sentence
    assert "A second notice may be considered: £160, due within 28 days." in second.sentence
    none_left = notice_for("Parent 1", "Child 1", ON, [earlier(), earlier(date(2026, 3, 1))])
    assert "A third is not available" in none_left.sentence
    assert len(none_left.facts) == 5
    doubtful = notice_for("Parent 1", "Child 1", ON, [earlier(ON_ANNIVERSARY)])
    assert doubtful.result is Result.CHECK
    assert "a person checks" in doubtful.sentence
    assert any("third anniversary" in fact.value for fact in doubtful.facts)
    assert doubtful.sources


@pytest.mark.parametrize(
    ("setting", "expected"),
    [(Doubt.CHECK, Result.CHECK), (Doubt.COUNT, Result.SECOND), (Doubt.LEAVE_OUT, Result.FIRST)],
)
def test_the_policy_settles_each_doubt(setting: Doubt, expected: Result) -> None:
    acquitted = earlier(status=Status.PROSECUTED_ACQUITTED)
    assert result(earlier(ON_ANNIVERSARY), policy=Policy(anniversary=setting)) is expected
    assert result(acquitted, policy=Policy(acquitted=setting)) is expected
    before = earlier(date(2024, 11, 1), last=date(2024, 7, 12))
    assert result(before, policy=Policy(issued_for_earlier_absence=setting)) is expected


def test_two_doubts_about_one_notice_must_both_be_settled() -> None:
    notice = earlier(ON_ANNIVERSARY, Status.PROSECUTED_ACQUITTED)
    assert result(notice, policy=Policy(anniversary=Doubt.COUNT)) is Result.CHECK
    assert result(notice, policy=Policy(anniversary=Doubt.COUNT, acquitted=Doubt.LEAVE_OUT)) is Result.FIRST
    assert result(notice, policy=Policy(anniversary=Doubt.COUNT, acquitted=Doubt.COUNT)) is Result.SECOND


ORDER = [Result.FIRST, Result.SECOND, Result.NOT_AVAILABLE]
notices = st.builds(earlier, st.dates(date(2024, 1, 1), date(2028, 1, 1)), st.sampled_from(Status), power=st.sampled_from(Power))


@given(st.lists(notices, max_size=5), notices)
def test_one_more_earlier_notice_never_gives_a_lower_result(previous: list[PreviousNotice], extra: PreviousNotice) -> None:
    before, after = result(*previous), result(*previous, extra)
    if Result.CHECK not in {before, after}:
        assert ORDER.index(before) <= ORDER.index(after)
    assert result(*reversed(previous)) is before


@given(st.lists(notices, max_size=5))
def test_another_parent_or_another_child_has_no_count(previous: list[PreviousNotice]) -> None:
    assert notice_for("Parent 2", "Child 1", ON, previous).result is Result.FIRST
    assert notice_for("Parent 1", "Child 2", ON, previous).result is Result.FIRST


def test_the_anniversary_of_29_february_is_28_february() -> None:
    assert anniversary(date(2028, 2, 29), 3) == date(2031, 2, 28)
    assert anniversary(date(2028, 2, 29), 4) == date(2032, 2, 29)


def test_a_notice_is_judged_by_the_rules_of_its_day() -> None:
    june_2024 = framework_on(date(2024, 6, 10))
    assert june_2024 is LOCAL_CODES_2013
    assert (june_2024.first.reduced, june_2024.first.full, june_2024.second) == (60, 120, None)
    assert june_2024.threshold is None
    assert framework_on(date(2024, 8, 18)) is LOCAL_CODES_2013
    assert framework_on(date(2024, 8, 19)) is NATIONAL_2024
    assert framework_on(date(2026, 1, 5), "s105") is EXCLUDED_PUPILS
    with pytest.raises(LookupError, match="Add a row"):
        framework_on(date(2001, 1, 1))
    with pytest.raises(LookupError):
        framework_on(date(2026, 1, 1), "s999")


def test_one_framework_is_in_force_for_each_power_and_day() -> None:
    for on in (date(2013, 9, 1), date(2024, 8, 18), date(2024, 8, 19), date(2026, 11, 1)):
        for power in ("s444A", "s105"):
            assert sum(framework.power == power and framework.is_in_force(on) for framework in HISTORY) == 1
    assert all(framework.sources for framework in HISTORY)


CALENDAR = Calendar.from_terms([(date(2026, 1, 6), date(2026, 2, 13)), (date(2026, 2, 23), date(2026, 3, 27))])
SUSPENDED = Span(date(2026, 2, 11), date(2026, 2, 27))


def test_the_duty_is_for_the_first_five_school_days() -> None:
    assert [on.day for on in days_of_duty(CALENDAR, SUSPENDED)] == [11, 12, 13, 23, 24]
    assert [on.day for on in days_of_duty(CALENDAR, Span(date(2026, 2, 11), date(2026, 2, 12)))] == [11, 12]


def test_an_excluded_pupil_notice_needs_a_letter_and_a_duty_day() -> None:
    letter = date(2026, 2, 11)
    notice = excluded_pupil_notice(Sighting(date(2026, 2, 13), SUSPENDED, letter), CALENDAR, [earlier(), earlier(power=Power.S105)])
    assert notice.available
    assert notice.earlier_count == 1
    assert (notice.amounts.reduced, notice.amounts.full) == (60, 120)
    assert "does not use up the limit" in notice.sentence
    for sighting, reason in (
        (Sighting(date(2026, 2, 13), SUSPENDED, None), "no section 104 letter"),
        (Sighting(date(2026, 2, 13), SUSPENDED, date(2026, 2, 23)), "after the pupil was seen"),
        (Sighting(date(2026, 2, 25), SUSPENDED, letter), "first five school days"),
        (Sighting(date(2026, 2, 17), SUSPENDED, letter), "first five school days"),
    ):
        unavailable = excluded_pupil_notice(sighting, CALENDAR)
        assert not unavailable.available
        assert reason in unavailable.sentence


def test_no_part_of_the_2026_act_is_in_force() -> None:
    assert len(ACT_PARTS) == 3
    for part in ACT_PARTS:
        assert not part.is_in_force(date(2099, 1, 1))
        assert part.sentence.startswith("Not in force")
        assert part.facts[0].value == "no date known"
        assert part.sources
    assert date(2026, 4, 29) == ROYAL_ASSENT


def test_a_part_is_in_force_from_its_date() -> None:
    part = ACT_PARTS[0].commencing_on(date(2027, 9, 1))
    assert not part.is_in_force(date(2027, 8, 31))
    assert part.is_in_force(date(2027, 9, 1))
    assert part.sentence.startswith("In force from 1 September 2027")
