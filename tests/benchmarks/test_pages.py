"""The pages of published figures: the list, one release, loading a newer one, and each role's permissions."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from portal.accounts.queries.principals import platform_scope
from portal.benchmarks import actions
from portal.db.work import unit_of_work
from portal.security.permissions import Role, role_has
from tests.benchmarks.test_queries import HEADER, week_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.support.browser import Browser
    from tests.support.world import World

ATTRIBUTED = "Contains public sector information licensed under the Open Government Licence v3.0. Source: Department for Education."


@pytest.fixture
def release_id(world: World) -> UUID:
    """A release everyone sees."""
    with unit_of_work(platform_scope()):
        return actions.import_release(week_file(61), name="Pupil attendance, week 47 2025", published_on=date(2025, 12, 4))


def answers(content: bytes = b"", **changes: str) -> dict[str, object]:
    """The form of a release, filled in."""
    form = {
        "name": "Week 48 2025",
        "published_on-day": "18",
        "published_on-month": "12",
        "published_on-year": "2025",
        "data_to-day": "",
        "data_to-month": "",
        "data_to-year": "",
    }
    file = {"file": (io.BytesIO(content), "weekly.csv")} if content else {}
    return {**form, **changes, **file}


def test_the_list_says_what_is_published(signed_in: Callable[..., Browser], release_id: UUID) -> None:
    """Series, date, coverage, how far it goes, and the attribution."""
    page = signed_in(Role.HEADTEACHER).get("/published-figures")
    assert page.h1 == "Published figures"
    assert "Latest published: 2025/26, week 45 (3 to 7 November 2025)." in page.text
    assert page.links()["Pupil attendance, week 47 2025"] == f"/published-figures/{release_id}"
    assert ATTRIBUTED in page.text
    assert "Load a newer release" not in page.links()


def test_a_release_shows_englands_figures(signed_in: Callable[..., Browser], release_id: UUID) -> None:
    """Absence by period and phase, and no data where there is none."""
    page = signed_in(Role.AUDITOR).get(f"/published-figures/{release_id}")
    assert "Week 45 of 2025 (3 to 7 November 2025) 6.10% no data no data no data" in page.text
    assert "Published 4 December 2025" in page.text


def test_an_unknown_release_is_not_found(signed_in: Callable[..., Browser]) -> None:
    """A neighbour's release answers the same."""
    signed_in(Role.LA_MANAGER).get(f"/published-figures/{uuid4()}", status=404)


def test_a_manager_loads_a_release(signed_in: Callable[..., Browser]) -> None:
    """From the list to the release's own page, seen by the authority alone."""
    browser = signed_in(Role.LA_MANAGER)
    browser.get("/published-figures/new")
    page = browser.post("/published-figures/new", answers(week_file(50)))
    assert page.h1 == "Week 48 2025"
    assert "The release is loaded." in page.text
    assert "Your authority alone" in page.text


def test_problems_in_a_file_are_listed_by_row(signed_in: Callable[..., Browser]) -> None:
    """Every problem with its row, column and value; the name typed is kept."""
    rows = [
        "2025,Week 45,National,,Primary,10,100,900,900,0,50,50,0,0,1000",
        "2025,Week 46,National,,Primary,10,100,9,9,0,n0,1,0,0,10",
    ]
    browser = signed_in(Role.LA_MANAGER)
    browser.get("/published-figures/new")
    page = browser.post("/published-figures/new", answers("\n".join([HEADER, *rows]).encode()))
    assert "Error: Load a newer release" in page.document.xpath("string(//title)")
    assert re.search(r"3 overall_absence n0 Is not a number, c, x, z or low", page.text)
    assert "Is not the sum of overall attendance and overall absence" in page.text
    assert page.document.xpath("string(//input[@name='name']/@value)") == "Week 48 2025"


def test_each_empty_field_says_what_to_do(signed_in: Callable[..., Browser]) -> None:
    """An empty form, answered in our own sentences."""
    browser = signed_in(Role.LA_MANAGER)
    browser.get("/published-figures/new")
    page = browser.post("/published-figures/new", {})
    for words in (
        "Choose the data file of the release",
        "Enter the name of the release",
        "Enter the day the release was published",
    ):
        assert words in page.text


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PLATFORM_OPERATOR])
def test_each_role_may_do_what_the_table_says(signed_in: Callable[..., Browser], role: Role) -> None:
    """Viewing and loading are two permissions."""
    browser = signed_in(role)
    browser.get("/published-figures", status=200 if role_has(role, "benchmarks.view") else 403)
    browser.get("/published-figures/new", status=200 if role_has(role, "benchmarks.load") else 403)
