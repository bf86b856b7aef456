"""A lifecycle refuses a declaration that does not hold together, and answers from one that does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from portal.platform.lifecycle import Lifecycle, Owner, State, Step, diagrams
from portal.platform.refusals import RefusedError

OPEN = State("open", "Open", "blue", owner=Owner.SCHOOL, next_date=lambda _letter: date(2026, 12, 1), why_due="Answer it")
WAITING = State("on-hold", "On hold", owner=Owner.PORTAL, undated="The portal goes on by itself.", refusal="Wait for the portal.")
CLOSED = State("closed", "Closed", final=True)
HOLD = Step("hold", "Put on hold", ("open",), "on-hold")
CLOSE = Step("close", "Close", ("open", "on-hold"), "closed", permission="letters.close", endpoint="letters.close")
LETTER = Lifecycle("letter", ("open",), (OPEN, WAITING, CLOSED), (HOLD, CLOSE))


def _faults(**changes: object) -> str:
    with pytest.raises(ValueError, match=r"Lifecycle letter") as refused:
        replace(LETTER, **changes)
    return str(refused.value)


def test_two_states_or_steps_of_one_name_are_refused() -> None:
    assert "two states share a name" in _faults(states=(OPEN, WAITING, CLOSED, CLOSED))
    assert "two steps share a name" in _faults(steps=(HOLD, CLOSE, CLOSE))


def test_a_step_to_or_from_a_state_that_is_not_there_is_refused() -> None:
    assert "no state is called lost" in _faults(steps=(HOLD, replace(CLOSE, target="lost")))
    assert "no state is called lost" in _faults(steps=(HOLD, replace(CLOSE, sources=("lost",))))
    assert "no state is called lost" in _faults(initial=("open", "lost"))


def test_a_state_that_nothing_leads_to_is_refused() -> None:
    assert "nothing leads to on-hold" in _faults(steps=(CLOSE,))


def test_two_states_that_lead_only_to_each_other_are_not_reached() -> None:
    states = (OPEN, CLOSED, WAITING, replace(WAITING, name="asleep"))
    steps = (replace(CLOSE, sources=("open",)), replace(HOLD, sources=("asleep",)), Step("nap", "Nap", ("on-hold",), "asleep"))
    assert "nothing leads to on-hold; nothing leads to asleep" in _faults(states=states, steps=steps)


def test_a_live_state_that_no_step_leaves_is_a_dead_end() -> None:
    assert "on-hold is a dead end" in _faults(steps=(HOLD, replace(CLOSE, sources=("open",))))


def test_a_final_state_may_still_be_left() -> None:
    again = Lifecycle("letter", ("open",), (OPEN, WAITING, CLOSED), (HOLD, CLOSE, Step("reopen", "Reopen", ("closed",), "open")))
    assert again.live() == ("open", "on-hold")


def test_a_live_state_needs_an_owner() -> None:
    assert "nobody owns open" in _faults(states=(replace(OPEN, owner=None), WAITING, CLOSED))


def test_a_live_state_has_a_date_with_its_reason_or_says_why_none() -> None:
    assert "open needs a next date" in _faults(states=(replace(OPEN, next_date=None), WAITING, CLOSED))
    assert "open needs a next date" in _faults(states=(replace(OPEN, undated="Never."), WAITING, CLOSED))
    assert "open has a next date and does not say why" in _faults(states=(replace(OPEN, why_due=""), WAITING, CLOSED))


def test_a_final_state_has_neither_owner_nor_date() -> None:
    assert "closed is final" in _faults(states=(OPEN, WAITING, replace(CLOSED, owner=Owner.SCHOOL)))
    assert "closed is final" in _faults(states=(OPEN, WAITING, replace(CLOSED, next_date=OPEN.next_date)))


def test_a_step_with_a_permission_has_an_address_and_one_without_has_none() -> None:
    assert "close needs both" in _faults(steps=(HOLD, replace(CLOSE, endpoint=None)))
    assert "hold needs both" in _faults(steps=(replace(HOLD, endpoint="letters.hold"), CLOSE))


def test_every_fault_is_named_at_once() -> None:
    assert _faults(states=(replace(OPEN, owner=None, why_due=""), WAITING, CLOSED)).count(";") == 1


def test_a_step_moves_a_thing_or_is_refused_with_the_sentence_of_its_state() -> None:
    letter = SimpleNamespace(state="open")
    assert LETTER.take(letter, "hold") is WAITING
    with pytest.raises(RefusedError, match=r"Wait for the portal\."):
        LETTER.take(letter, "hold")
    assert letter.state == "on-hold"
    LETTER.take(letter, "close")
    with pytest.raises(RefusedError, match=r"This cannot be done with it as it stands\."):
        LETTER.take(letter, "close")


def test_the_buttons_are_the_steps_of_the_state_that_the_person_may_take() -> None:
    assert LETTER.steps_from("open", lambda _permission: True) == [CLOSE]
    assert LETTER.steps_from("open", lambda permission: permission != "letters.close") == []
    assert LETTER.steps_from("closed", lambda _permission: True) == []


def test_the_constraint_names_every_state_and_no_other() -> None:
    assert str(LETTER.constraint().sqltext) == "state IN ('open', 'on-hold', 'closed')"


def test_the_page_draws_every_state_and_step() -> None:
    text = diagrams([LETTER])
    for line in (
        '    state "On hold" as on_hold',
        "    [*] --> open",
        "    open --> on_hold: Put on hold",
        "    on_hold --> closed: Close",
        "    closed --> [*]",
        "| Open | school | Answer it, by a day |",
        "| On hold | portal | The portal goes on by itself. |",
        "| Closed | – | – |",
    ):
        assert line in text.splitlines()
