"""Tests of the audit's pages: the list of events, and the events about one record."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

from portal.security.permissions import Role
from tests.support import objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World


def test_the_audit_shows_names_and_sentences_and_no_ids(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.make_objects(world.authority)
    signed_in(Role.HEADTEACHER).get(f"/pupils/{ids['pupil_id']}")
    headteacher_name = (
        signed_in(Role.HEADTEACHER).get("/account").document.xpath("string(//*[@class='portal-header__name'])").strip()
    )
    page = signed_in(Role.AUDITOR).get("/audit")
    row = next(row for row in page.document.xpath("//tbody/tr") if "A pupil's attendance record was read" in row.text_content())
    assert headteacher_name in row.text_content()
    assert "Headteacher" in row.text_content()
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|[a-z]+\.[a-z]+ed\b|headteacher", page.document.xpath("string(//main)"))


def test_a_records_page_shows_only_the_events_about_it(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.make_objects(world.authority)
    signed_in(Role.HEADTEACHER).get(f"/pupils/{ids['pupil_id']}")
    page = signed_in(Role.AUDITOR).get(f"/audit?about={ids['pupil_id']}")
    references = {link.get("href") for link in page.document.xpath("//tbody//a")}
    assert page.h1 == "What happened to one record"
    assert references == {f"/audit?about={ids['pupil_id']}"}
    assert "No events here" in signed_in(Role.AUDITOR).get(f"/audit?about={uuid4()}").text
