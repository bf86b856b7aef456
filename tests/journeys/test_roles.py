"""Every role signs in and opens each page of its navigation, without a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.security.permissions import Role
from tests.support.chromium import visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.running_portal import RunningPortal

pytestmark = pytest.mark.browser

#: Every signed-in person has a home page, and most have more.
ONLY_HOME = {Role.PARTNER}


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_each_page_of_a_roles_navigation_has_no_fault(portal: RunningPortal, chromium: Browser, role: Role) -> None:
    with visitor(chromium, portal.address) as person:
        person.sign_in(portal.database.member(role))
        links = person.page.locator(".portal-header a, .govuk-service-navigation a").evaluate_all(
            "(all) => [...new Set(all.map((link) => link.getAttribute('href')))]"
        )
        assert len(links) > 1
        assert role in ONLY_HOME or len(links) > 3
        for href in links:
            person.go(href)
            person.look(f"{role.value}{href.replace('/', '-')}", narrow=False)
