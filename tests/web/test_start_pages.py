"""The start page of each role: its purpose and its main task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from portal import capabilities
from portal.accounts.models import Membership
from portal.db.work import tx
from portal.schools.queries import schools
from portal.security.permissions import ROLES, Role
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.support.browser import Browser
    from tests.support.world import World

MAIN_TASKS = capabilities.main_tasks()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PLATFORM_OPERATOR])
def test_a_role_sees_its_purpose_and_its_main_task_opens(signed_in: Callable[..., Browser], role: Role) -> None:
    browser = signed_in(role)
    home = browser.get("/")
    assert all(words in home.text for words in ROLES[role])
    buttons = home.document.xpath("//main//a[contains(@class, 'govuk-button')]")
    assert [button.text_content().strip() for button in buttons] == ([MAIN_TASKS[role].text] if role in MAIN_TASKS else [])
    for button in buttons:
        browser.get(button.get("href"))
    assert home.links()["Guide for your role"] == f"/help/{role.value}"
    assert home.links()[home.document.xpath("string(//*[@class='portal-header__name'])").strip()] == "/account"


def test_a_partner_with_nothing_shared_sees_whom_to_ask(signed_in: Callable[..., Browser]) -> None:
    home = signed_in(Role.PARTNER).get("/")
    assert "Nothing is shared with you yet" in home.text
    assert "ask the person you work with" in home.text


def test_every_role_but_the_partner_has_a_main_task() -> None:
    assert set(MAIN_TASKS) == set(Role) - {Role.PARTNER}


def test_people_bound_to_schools_see_their_names_first(
    signed_in: Callable[..., Browser], as_role: Callable[..., Session], world: World
) -> None:
    as_role()
    names = {school.id: school.name for school in schools()}
    trust_lead = update(Membership).where(Membership.id == world.authority.people[Role.TRUST_LEAD][1])
    write_rows(lambda: tx().execute(trust_lead.values(school_ids=list(names))))
    homes = {role: signed_in(role).get("/") for role in (Role.SCHOOL_OFFICE, Role.TRUST_LEAD, Role.LA_OFFICER)}
    assert homes[Role.SCHOOL_OFFICE].h1 in names.values()
    assert f"Your schools: {', '.join(names.values())}." in homes[Role.TRUST_LEAD].text
    assert not any(name in homes[Role.LA_OFFICER].text for name in names.values())
