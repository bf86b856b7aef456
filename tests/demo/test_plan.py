"""The plan: believable families and rolls, and nothing that could be real."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from datetime import date
from typing import TYPE_CHECKING

import pytest

from demo.authorities import plan_authority
from demo.people import OPERATOR
from demo.place_names import invented_schools
from portal.pupils.domain.incoming import folded, has_right_check_letter
from portal.pupils.models import CHARACTERISTICS
from portal.rules.calendar import academic_year
from portal.rules.school_age import age_at_start
from portal.schools.models import PHASES
from portal.security.permissions import LA_ROLES, SCHOOL_ROLES, Role

if TYPE_CHECKING:
    from demo.plans import Plan

FICTIONAL_LA = ("001", "002", "003", "004", "005", "999")


def test_only_the_same_arguments_give_the_same_plan() -> None:
    first, second, of_other_seed = (plan_authority(seed, today=date(2026, 11, 25), schools=4, pupils=400) for seed in (3, 3, 4))
    assert first.pupils == second.pupils
    assert first.parents == second.parents
    assert first.schools == second.schools
    assert {key: register.lines for key, register in first.registers.items()} == {
        key: register.lines for key, register in second.registers.items()
    }
    assert first.pupils != of_other_seed.pupils


def test_an_authority_that_is_too_small_is_rejected() -> None:
    with pytest.raises(ValueError, match="at least 3 schools"):
        plan_authority(1, today=date(2026, 11, 25), schools=2, pupils=500)


def test_upns_are_valid_unique_and_could_not_be_real(plan: Plan, next_door: Plan) -> None:
    for pupil in (*plan.pupils, *next_door.pupils):
        for upn in filter(None, (pupil.upn, pupil.former_upn)):
            assert has_right_check_letter(upn)
            assert upn[1:4] in FICTIONAL_LA
            assert upn[4] == "9"
    upns = [upn for pupil in plan.pupils for upn in (pupil.upn, pupil.former_upn) if upn]
    assert len(set(upns)) == len(upns)
    assert any(pupil.former_upn for pupil in plan.pupils)


def test_no_place_number_or_address_could_be_real(plan: Plan) -> None:
    assert plan.la_code in FICTIONAL_LA
    assert all(school.urn >= "900001" and school.laestab.startswith(plan.la_code) for school in plan.schools)
    for postcode in {*(pupil.postcode for pupil in plan.pupils), *(pupil.postcode for pupil in plan.parents)}:
        assert re.fullmatch(r"QX\d \d[A-Z]{2}", postcode)
    drama = r"07700 900\d{3}|01632 960\d{3}|020 7946 0\d{3}|0113 496 0\d{3}"
    assert all(parent.phone is None or re.fullmatch(drama, parent.phone) for parent in plan.parents)
    assert all(parent.email is None or parent.email.endswith(".example") for parent in plan.parents)
    assert all(person.email.endswith(".example") for person in plan.people)


def test_school_names_are_unique_at_any_size() -> None:
    for count, pupils, allowed in ((4, 400, 0.3), (24, 9000, 0.12), (300, 120000, 0.12)):
        schools = invented_schools(1, count, pupils, "999", 900001)
        assert len(schools) == count
        assert len({school.name for school in schools}) == count
        assert len({school.laestab for school in schools}) == count
        assert {school.phase for school in schools} <= set(PHASES)
        assert abs(sum(school.capacity for school in schools) / pupils - 1) < allowed


def test_every_phase_is_there_and_the_roll_is_near_the_size_asked_for(plan: Plan) -> None:
    assert {school.phase for school in plan.schools} == {"primary", "secondary", "special", "all-through", "alternative"}
    current = [
        line
        for (_, year), register in plan.registers.items()
        if year == 2026
        for line in register.lines
        if line.on_roll_until is None
    ]
    assert abs(len(current) / 3600 - 1) < 0.1


def test_year_groups_fit_birthdays_and_schools(plan: Plan) -> None:
    pupils = {pupil.number: pupil for pupil in plan.pupils}
    for (urn, year), register in plan.registers.items():
        school = plan.school(urn)
        for line in register.lines:
            group = 0 if line.year_group == "R" else int(line.year_group)
            assert age_at_start(pupils[line.pupil].date_of_birth, year) == group + 4
            assert group in school.groups
            assert line.registration_group
            assert academic_year(line.on_roll_from) == year
            assert line.on_roll_until is None or line.on_roll_from <= line.on_roll_until <= plan.today


def test_lines_are_numbered_without_a_gap_and_joiners_come_last(plan: Plan) -> None:
    for register in plan.registers.values():
        assert [line.line for line in register.lines] == list(range(1, len(register.lines) + 1))
        starts = [line.on_roll_from for line in register.lines]
        assert starts == sorted(starts)


def test_only_dual_registered_pupils_are_on_two_rolls_at_once(plan: Plan) -> None:
    spans = defaultdict(list)
    for register in plan.registers.values():
        for line in register.lines:
            spans[line.pupil].append((line.on_roll_from, line.on_roll_until or date(2027, 8, 31), line.enrolment_status))
    dual = 0
    for periods in spans.values():
        periods.sort()
        for earlier, later in itertools.pairwise(periods):
            if later[0] <= earlier[1] and academic_year(later[0]) == academic_year(earlier[0]):
                assert {earlier[2], later[2]} == {"M", "S"}
                dual += 1
    assert 0 < dual < 20


def test_pupils_join_leave_move_and_go_up_a_year(plan: Plan) -> None:
    schools_of = defaultdict(set)
    for (urn, year), register in plan.registers.items():
        for line in register.lines:
            schools_of[year, line.pupil].add(urn)
    lines = [line for (_, year), register in plan.registers.items() if year == 2025 for line in register.lines]
    joined = sum(line.on_roll_from > date(2025, 9, 1) for line in lines)
    left = sum(line.on_roll_until is not None and line.on_roll_until < date(2026, 6, 1) for line in lines)
    assert 0.03 < joined / len(lines) < 0.08
    assert 0.03 < left / len(lines) < 0.08
    assert any(len(urns) > 1 for (year, _), urns in schools_of.items() if year == 2025)
    assert any(
        schools_of[2025, pupil] != schools_of[2026, pupil]
        for year, pupil in schools_of
        if (2025, pupil) in schools_of and year == 2026
    )


def test_families_share_an_address_and_have_twins_and_awkward_names(plan: Plan) -> None:
    homes = defaultdict(list)
    for pupil in plan.pupils:
        homes[pupil.household].append(pupil)
    assert all(len({pupil.address for pupil in home}) == 1 for home in homes.values())
    twins = [home for home in homes.values() if len({pupil.date_of_birth for pupil in home}) < len(home)]
    assert 0.01 < 2 * len(twins) / len(plan.pupils) < 0.05
    for home in twins:
        births = Counter(pupil.date_of_birth for pupil in home)
        born_together = [pupil for pupil in home if births[pupil.date_of_birth] > 1]
        assert len({pupil.forename for pupil in born_together}) == len(born_together)
    surnames = {pupil.surname for pupil in plan.pupils}
    assert max(map(len, surnames)) > 40
    assert any("-" in name for name in surnames)
    assert any("'" in name for name in surnames)
    assert any(not name.isascii() for name in surnames)


def test_every_pupil_has_contacts_and_a_few_must_not_be_disclosed(plan: Plan) -> None:
    parents = {parent.number: parent for parent in plan.parents}
    assert all(pupil.contacts and all(contact.parent in parents for contact in pupil.contacts) for pupil in plan.pupils)
    share = sum(parent.do_not_disclose for parent in plan.parents) / len(plan.parents)
    assert 0 < share < 0.02


def test_circumstances_have_national_shares_and_have_begun(plan: Plan) -> None:
    characteristics = [characteristic for pupil in plan.pupils for characteristic in pupil.characteristics]
    assert {characteristic.kind for characteristic in characteristics} <= set(CHARACTERISTICS)
    assert all(
        characteristic.first_day <= plan.today and (characteristic.last_day is None or characteristic.last_day <= plan.today)
        for characteristic in characteristics
    )
    count = Counter(characteristic.kind for characteristic in characteristics)
    assert 0.2 < count["fsm"] / len(plan.pupils) < 0.33
    assert 0.15 < count["sen_provision"] / len(plan.pupils) < 0.23
    assert 0.02 < count["child_in_need"] / len(plan.pupils) < 0.05


def test_every_role_has_a_person_and_school_people_have_schools(plan: Plan, next_door: Plan) -> None:
    for authority in (plan, next_door):
        assert {person.role for person in authority.people} >= LA_ROLES | SCHOOL_ROLES - {Role.TRUST_LEAD} | {Role.PARTNER}
        for person in authority.people:
            assert bool(person.schools) == (person.role in SCHOOL_ROLES)
            assert set(person.schools) <= {school.urn for school in authority.schools}
    assert Role.TRUST_LEAD in {person.role for person in plan.people}
    assert OPERATOR.role == Role.PLATFORM_OPERATOR
    emails = [person.email for authority in (plan, next_door) for person in authority.people] + [OPERATOR.email]
    assert len(set(emails)) == len(emails)


def test_the_neighbour_is_similar_but_not_the_same(plan: Plan, next_door: Plan) -> None:
    assert next_door.name != plan.name
    assert next_door.la_code != plan.la_code
    assert not {school.urn for school in plan.schools} & {school.urn for school in next_door.schools}
    assert {school.name for school in plan.schools} & {school.name for school in next_door.schools}
    own = {(folded(pupil.surname), folded(pupil.forename), pupil.date_of_birth) for pupil in plan.pupils}
    neighbours = [(folded(pupil.surname), folded(pupil.forename), pupil.date_of_birth) for pupil in next_door.pupils]
    assert sum(pupil in own for pupil in neighbours) >= 50
    assert len({pupil.upn for pupil in plan.pupils} & {pupil.upn for pupil in next_door.pupils}) == 3


def test_one_school_is_silent_and_one_is_late(plan: Plan) -> None:
    assert sorted(gap.weeks for gap in plan.gaps) == [1, 3]
    assert len({gap.urn for gap in plan.gaps}) == 2
