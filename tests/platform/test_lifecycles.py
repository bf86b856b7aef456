"""What holds for every lifecycle, asked of each from its own declaration."""

from __future__ import annotations

import re
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from portal.capabilities import CAPABILITIES
from portal.db.work import tx, unit_of_work
from portal.platform.capability import load
from portal.platform.models import Due
from portal.platform.refusals import RefusedError
from portal.security.permissions import Role, permission_of, role_has
from tests.platform.lifecycles import CASES, PAGE, Case, page
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy.orm import Session

    from portal.platform.lifecycle import Lifecycle, Step
    from tests.support.browser import Browser
    from tests.support.world import World

EACH = pytest.mark.parametrize("case", CASES, ids=str)
EACH_STATE = pytest.mark.parametrize(
    ("case", "state"), [(case, state.name) for case in CASES for state in case.lifecycle.states], ids=str
)
PERSONS_STEPS = [(case, step) for case in CASES for step in case.lifecycle.steps if step.permission]
EACH_PERSONS_STEP = pytest.mark.parametrize(("case", "step"), PERSONS_STEPS, ids=lambda value: getattr(value, "name", str(value)))


@EACH
def test_the_declaration_holds_together(case: Case) -> None:
    assert list(case.lifecycle.faults()) == []
    assert case.lifecycle.reachable() == {state.name for state in case.lifecycle.states}


@EACH
def test_the_enums_are_the_declaration(case: Case) -> None:
    assert [state.name for state in case.lifecycle.states] == list(case.states)
    assert {step.name for step in case.lifecycle.steps} == set(case.steps)


@EACH_STATE
def test_every_state_can_end_and_every_live_one_says_who_acts_by_when(case: Case, state: str) -> None:
    declared = case.lifecycle.state(state)
    if declared.final:
        assert (declared.owner, declared.next_date) == (None, None)
        return
    assert any(case.lifecycle.state(end).final for end in _reached_from(case.lifecycle, state))
    assert declared.owner
    assert declared.next_date is None or isinstance(declared.next_date(case.sample), date)
    assert declared.why_due if declared.next_date else declared.undated


def _reached_from(lifecycle: Lifecycle, state: str) -> set[str]:
    reached = {state}
    while new := {step.target for step in lifecycle.steps if reached & set(step.sources)} - reached:
        reached |= new
    return reached


@EACH_STATE
def test_every_step_is_taken_or_refused_as_declared(case: Case, state: str) -> None:
    for step in case.lifecycle.steps:
        row = SimpleNamespace(state=state)
        if state in step.sources:
            assert case.lifecycle.take(row, step.name).name == row.state == step.target
            continue
        with pytest.raises(RefusedError) as refused:
            case.lifecycle.take(row, step.name)
        assert refused.value.sentence == case.lifecycle.state(state).refusal
        assert refused.value.sentence.endswith(".")
        assert row.state == state


@EACH_STATE
def test_the_action_of_a_step_refuses_a_thing_in_any_other_state(
    case: Case, state: str, world: World, as_role: Callable[..., Session]
) -> None:
    as_role(Role.LA_ADMINISTRATOR)
    for name, take in case.actions.items():
        step = case.lifecycle.step(name)
        if state in step.sources or (name, state) in case.asked_again:
            continue
        thing_id = case.make(world, state)
        with pytest.raises(RefusedError):
            take(thing_id)
        assert _stored_state(case, thing_id) == state


def _stored_state(case: Case, thing_id: object) -> object:
    return tx().scalar(text(f"SELECT state FROM {case.table} WHERE id = :id"), {"id": thing_id})  # noqa: S608  our own table


@EACH
def test_every_step_a_person_may_take_has_an_action(case: Case) -> None:
    assert set(case.actions) == {step.name for step in case.lifecycle.steps if step.permission}


@EACH_PERSONS_STEP
def test_the_address_of_a_step_declares_the_permission_of_the_step(case: Case, step: Step, app: Flask) -> None:
    assert permission_of(app.view_functions[step.endpoint or ""]) == step.permission


@EACH_PERSONS_STEP
def test_a_role_without_the_permission_is_refused_the_step_and_shown_no_button(
    case: Case, step: Step, app: Flask, world: World, signed_in: Callable[..., Browser]
) -> None:
    [rule] = app.url_map.iter_rules(step.endpoint)
    path = re.sub(r"<uuid:\w+>", str(uuid4()), rule.rule)
    for role in world.authority.people:
        offered = [
            s for state in step.sources for s in case.lifecycle.steps_from(state, lambda name, role=role: role_has(role, name))
        ]
        has_permission = role_has(role, step.permission or "")
        assert (step in offered) == has_permission
        # With the permission it is a thing that is not there; without it nobody looks.
        signed_in(role).post(path, {}, status=404 if has_permission else 403, token_from="/")


@EACH
def test_the_database_knows_the_states_of_the_declaration_and_no_other(case: Case, as_role: Callable[..., Session]) -> None:
    as_role()
    definition = tx().scalar(
        text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"), {"name": f"ck_{case.table}_state_known"}
    )
    assert set(re.findall(r"'([a-z-]+)'", str(definition))) == set(case.states)


@EACH
def test_the_database_refuses_a_state_that_nobody_declared(case: Case, world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.LA_ADMINISTRATOR)
    case.make(world, case.lifecycle.initial[0])
    with pytest.raises(IntegrityError, match="state_known"):
        write_rows(lambda: tx().execute(text(f"UPDATE {case.table} SET state = 'forgotten'")))  # noqa: S608  our own table


def test_every_lifecycle_that_a_capability_declares_is_walked() -> None:
    declared = [load(name) for capability in CAPABILITIES for name in capability.lifecycles]
    assert sorted(lifecycle.name for lifecycle in declared) == sorted(case.lifecycle.name for case in CASES)


def test_no_two_lifecycles_share_a_name() -> None:
    assert len({case.lifecycle.name for case in CASES}) == len(CASES)


def test_the_page_of_lifecycles_is_as_the_code_has_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_what_is_due_holds_no_personal_detail() -> None:
    assert [column.name for column in Due.__table__.columns if column.info["personal"]] == []


def test_a_thing_in_a_state_of_no_lifecycle_is_a_fault_of_the_program(world: World) -> None:
    with unit_of_work(world.authority.scope()), pytest.raises(KeyError):
        CASES[0].lifecycle.take(SimpleNamespace(state="forgotten"), "cancel")
