"""The pages of settings: who sees them, what they show, and the form that changes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.db.work import unit_of_work
from portal.security.permissions import LA_ROLES, Role
from portal.settings import queries
from portal.settings.domain.definitions import DEFINITIONS
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.settings.domain.definitions import Definition
    from tests.support.browser import Browser
    from tests.support.world import World

EDIT = "/settings/notice_to_improve_weeks/edit"
SENT: dict[str, object] = {
    "value": "4",
    "first_day-day": "1",
    "first_day-month": "1",
    "first_day-year": "2027",
    "reason": "Cabinet, 3 November",
}


def test_the_list_shows_every_setting_with_its_value(signed_in: Callable[..., Browser]) -> None:
    page = signed_in(Role.LA_ADMINISTRATOR).get("/settings")
    for definition in DEFINITIONS:
        assert definition.label in page.text
        assert definition.kind.words(definition.default) in page.text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PLATFORM_OPERATOR])
def test_only_the_authority_sees_settings_and_only_its_administrator_changes_them(
    signed_in: Callable[..., Browser], role: Role
) -> None:
    browser = signed_in(role)
    browser.get("/settings", status=200 if role in LA_ROLES else 403)
    browser.get("/settings/window", status=200 if role in LA_ROLES else 403)
    browser.get(EDIT, status=200 if role is Role.LA_ADMINISTRATOR else 403)


def test_a_setting_is_changed_from_a_day_on_and_its_history_says_so(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.LA_ADMINISTRATOR)
    page = browser.post(EDIT, SENT, token_from=EDIT)
    assert page.h1 == "How long a notice to improve runs"
    for words in ("6 school weeks", "4 school weeks", "not yet in effect", "Cabinet, 3 November", "La Administrator Example"):
        assert words in page.text
    with unit_of_work(world.authority.scope()):
        assert queries.policy_on(NOW.date()).notice_to_improve_weeks == 6


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"value": "9"}, "Enter a whole number of school weeks from 3 to 6."),
        ({"value": ""}, "Enter the new value"),
        ({"first_day-year": "2025"}, "Enter today or a later day"),
        ({"first_day-day": "31", "first_day-month": "2"}, "The first day must be a real date"),
        ({"reason": " "}, "Enter the reason"),
        ({"value": "6"}, "The setting has this value on that day already."),
    ],
)
def test_a_wrong_form_is_shown_again_with_what_to_do(
    signed_in: Callable[..., Browser], changed: dict[str, str], sentence: str
) -> None:
    page = signed_in(Role.LA_ADMINISTRATOR).post(EDIT, {**SENT, **changed}, token_from=EDIT)
    assert page.h1 == "Change this setting"
    assert sentence in page.text


def test_an_unknown_setting_is_not_found(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.LA_ADMINISTRATOR)
    browser.get("/settings/unknown", status=404)
    browser.get("/settings/unknown/edit", status=404)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_each_setting_has_a_page_and_a_form(signed_in: Callable[..., Browser], definition: Definition) -> None:
    browser = signed_in(Role.LA_ADMINISTRATOR)
    assert browser.get(f"/settings/{definition.name}").h1 == definition.label
    assert browser.get(f"/settings/{definition.name}/edit").h1 == "Change this setting"
