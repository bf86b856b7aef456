"""The audit's pages: who did what in words, and everything that happened to one record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

from portal.permissions import Role
from tests.support import objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World


def test_the_audit_names_who_acted_in_words_and_shows_no_ids(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.made(world.here)
    signed_in(Role.HEADTEACHER).get(f"/pupils/{ids['pupil_id']}")
    head = signed_in(Role.HEADTEACHER).get("/account").document.xpath("string(//*[@class='portal-header__name'])").strip()
    page = signed_in(Role.AUDITOR).get("/audit")
    row = next(line for line in page.document.xpath("//tbody/tr") if "A pupil's attendance record was read" in line.text_content())
    assert [head in row.text_content(), "Headteacher" in row.text_content()] == [True, True]
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|[a-z]+\.[a-z]+ed\b|headteacher", page.document.xpath("string(//main)"))


def test_a_reference_leads_to_what_happened_to_that_record_alone(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.made(world.here)
    signed_in(Role.HEADTEACHER).get(f"/pupils/{ids['pupil_id']}")
    page = signed_in(Role.AUDITOR).get(f"/audit?about={ids['pupil_id']}")
    references = {one.get("href") for one in page.document.xpath("//tbody//a")}
    assert page.h1 == "What happened to one record"
    assert references == {f"/audit?about={ids['pupil_id']}"}
    assert "No events here" in signed_in(Role.AUDITOR).get(f"/audit?about={uuid4()}").text
