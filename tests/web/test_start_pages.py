"""The start page of each role: what the role is for, its main task first, and no dead end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from portal.accounts.models import Membership
from portal.db import tx
from portal.permissions import ROLES, Role
from portal.schools.queries import schools
from portal.web.pages import MAIN_TASKS
from tests.support.world import furnish

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.support.browser import Browser
    from tests.support.world import World


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


def test_who_is_bound_to_a_school_reads_its_name_first_and_to_several_all_of_them(
    signed_in: Callable[..., Browser], as_role: Callable[..., Session], world: World
) -> None:
    as_role()
    both = {one.id: one.name for one in schools()}
    lead = update(Membership).where(Membership.id == world.here.people[Role.TRUST_LEAD][1])
    furnish(lambda: tx().execute(lead.values(school_ids=list(both))))
    of_role = {role: signed_in(role).get("/") for role in (Role.SCHOOL_OFFICE, Role.TRUST_LEAD, Role.LA_OFFICER)}
    assert of_role[Role.SCHOOL_OFFICE].h1 in both.values()
    assert f"Your schools: {', '.join(both.values())}." in of_role[Role.TRUST_LEAD].text
    assert not any(name in of_role[Role.LA_OFFICER].text for name in both.values())
