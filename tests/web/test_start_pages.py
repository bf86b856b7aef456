"""The start page of each role: what the role is for, its main task first, and no dead end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.permissions import ROLES, Role
from portal.web.pages import MAIN_TASKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PLATFORM_OPERATOR])
def test_a_role_reads_what_it_is_for_and_its_main_task_opens(signed_in: Callable[..., Browser], role: Role) -> None:
    at = signed_in(role)
    home = at.get("/")
    assert all(words in home.text for words in ROLES[role])
    buttons = home.document.xpath("//main//a[contains(@class, 'govuk-button')]")
    assert [one.text_content().strip() for one in buttons] == ([MAIN_TASKS[role][0]] if role in MAIN_TASKS else [])
    for one in buttons:
        at.get(one.get("href"))
    assert home.links()["Guide for your role"] == f"/help/{role.value}"
    assert home.links()[home.document.xpath("string(//*[@class='portal-header__name'])").strip()] == "/account"


def test_a_partner_with_nothing_shared_reads_whom_to_ask(signed_in: Callable[..., Browser]) -> None:
    home = signed_in(Role.PARTNER).get("/")
    assert "Nothing is shared with you yet" in home.text
    assert "ask the person you work with" in home.text


def test_every_role_but_the_partner_has_a_main_task() -> None:
    assert set(MAIN_TASKS) == set(Role) - {Role.PARTNER}
