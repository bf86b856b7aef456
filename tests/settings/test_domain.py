"""The definitions of settings: every field of the policy has one, and every value becomes a policy."""

from __future__ import annotations

from dataclasses import fields, make_dataclass
from itertools import product

import pytest

from portal.rules.policy import DEFAULT_POLICY, Doubt, Policy, Window, WithdrawnHoliday
from portal.settings.domain.definitions import BY_NAME, DEFINITIONS, Definition
from portal.settings.domain.kinds import Choice, Pounds, Whole, WrongValueError
from portal.settings.domain.policies import policy_of


def undefined(policy: type[Policy]) -> set[str]:
    """Fields of the policy that no setting decides."""
    return {field.name for field in fields(policy)} - BY_NAME.keys()


def test_every_field_of_the_policy_is_a_setting() -> None:
    assert undefined(Policy) == set()
    assert BY_NAME.keys() - {field.name for field in fields(Policy)} == {"fewest_schools"}
    assert len(BY_NAME) == len(DEFINITIONS)


def test_the_guard_finds_a_field_without_a_setting() -> None:
    wider = make_dataclass("Wider", [("unsettled", int, 0)], bases=(Policy,), frozen=True)
    assert undefined(wider) == {"unsettled"}


def test_the_defaults_make_the_default_policy() -> None:
    assert policy_of({}) == DEFAULT_POLICY
    assert policy_of({definition.name: definition.default for definition in DEFINITIONS}) == DEFAULT_POLICY


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_every_value_is_read_back_from_its_text_and_makes_a_policy(definition: Definition) -> None:
    kind = definition.kind
    texts = list(kind.options) if isinstance(kind, Choice) else []
    texts += [str(kind.lowest), str(kind.highest)] if isinstance(kind, Whole) else []
    for text in [*texts, kind.text(definition.default)]:
        value = kind.read(text)
        assert kind.text(value) == text
        assert kind.words(value)
        policy_of({definition.name: value})


def test_settings_together_make_one_policy() -> None:
    values = {"window": "TO_THE_DAY", "week_starts_on": "2", "last_friday_inside": "no", "acquitted": "COUNT"}
    policy = policy_of({**values, "excluded_pupil_amounts": [70, 140], "withdrawn_holiday": "REFUSE", "fewest_schools": 5})
    assert (policy.window, policy.week_starts_on, policy.last_friday_inside) == (Window.TO_THE_DAY, 2, False)
    assert (policy.acquitted, policy.withdrawn_holiday) == (Doubt.COUNT, WithdrawnHoliday.REFUSE)
    assert (policy.excluded_pupil_amounts.reduced, policy.excluded_pupil_amounts.full) == (70, 140)
    assert policy.excluded_pupil_amounts.full_days == DEFAULT_POLICY.excluded_pupil_amounts.full_days


WRONG = {
    "window": ("", "sometimes", "whole_weeks"),
    "week_starts_on": ("7", "-1", "Monday"),
    "notice_to_improve_weeks": ("2", "7", "six", "", "3.5", "1" * 30, "٣"),
    "fewest_schools": ("2", "51"),
    "excluded_pupil_amounts": ("60", "120, 60", "0, 0", "60, 120, 180", "a, b", "1, 99999"),
}


@pytest.mark.parametrize(("name", "text"), [pair for name, texts in WRONG.items() for pair in product([name], texts)])
def test_a_wrong_value_is_refused_with_a_sentence(name: str, text: str) -> None:
    with pytest.raises(WrongValueError, match=r"^(Choose|Enter) .*\.$"):
        BY_NAME[name].kind.read(text)


@pytest.mark.parametrize("text", ["60, 120", "60/120", "£60 £120", " 60,120 "])
def test_amounts_are_read_as_people_write_them(text: str) -> None:
    assert Pounds().read(text) == [60, 120]
