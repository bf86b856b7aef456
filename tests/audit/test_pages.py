"""Tests of the audit's pages: the list of events, and the events about one record."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from portal.audit.actions import record, record_alone
from portal.audit.events import event
from portal.db.work import action, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from tests.support import objects
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser, Page
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


def test_reads_and_events_stand_in_one_list_newest_first_over_its_pages(world: World, signed_in: Callable[..., Browser]) -> None:
    auditor = signed_in(Role.AUDITOR)
    with unit_of_work(world.authority.scope()):
        for minute in range(60):
            with clock.frozen_at(NOW + timedelta(minutes=minute)):
                record_alone(LOOKED, None) if minute % 2 else _record_event()
            if minute % 3 == 0:
                # Of one instant, too, each stands once and on one page.
                with clock.frozen_at(NOW + timedelta(minutes=minute)):
                    record_alone(LOOKED, None)
    lines, pages, address = [], [], "/audit"
    while address:
        page = auditor.get(address)
        pages.append(_numbers(page))
        lines += pages[-1]
        address = page.document.xpath("string(//a[@rel='next']/@href)")
        back: list[str] = page.document.xpath("//a[@rel='prev']/@href")
    assert [_numbers(auditor.get(address)) for address in back] == [pages[-2]], "the page before the last, the other way round"
    assert len(lines) == len(set(lines)) == 80
    reads = [int(line.removeprefix("read ")) for line in lines if line.startswith("read ")]
    events = [int(line) for line in lines if not line.startswith("read ")]
    assert (len(reads), len(events)) == (50, 30)
    assert reads == sorted(reads, reverse=True)
    assert events == sorted(events, reverse=True)
    assert lines[0].startswith("read "), "the newest of all is a read"


def _numbers(page: Page) -> list[str]:
    """What the lines of this test are numbered as."""
    return [row.xpath("string(th)") for row in page.document.xpath("//tbody/tr") if "A test looked" in row.text_content()]


LOOKED = event("test.looked", "A test looked")


@action
def _record_event() -> None:
    record(LOOKED, None)


@pytest.mark.parametrize("before", ["7", "1e", "e1", "1x1", "99999999999999999e1", "1r9999999999999999999", "²e1"])
def test_an_address_that_is_no_entry_of_the_list_is_refused(signed_in: Callable[..., Browser], before: str) -> None:
    signed_in(Role.AUDITOR).get(f"/audit?before={before}", status=400)


def test_the_check_shows_that_events_and_reads_are_as_they_were_written(signed_in: Callable[..., Browser]) -> None:
    auditor = signed_in(Role.AUDITOR)
    auditor.get("/audit")
    page = auditor.get("/audit/chain").text
    assert "1 reads are as they were written" in page
    assert "Is a worker running?" not in page
    with clock.frozen_at(NOW + timedelta(minutes=6)):
        assert "Is a worker running?" in auditor.get("/audit/chain").text
