"""Registers received: schools that have sent nothing come first. The list of uploads has pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from portal.uploads.models import Upload
from portal.web.paging import PAGE_SIZE
from tests.support.world import write_rows
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World


def test_a_school_that_has_sent_nothing_comes_first_and_is_counted(world: World, signed_in: Callable[..., Browser]) -> None:
    sender, silent = world.authority.primary, world.authority.secondary
    with unit_of_work(world.authority.scope()):
        files.import_rows(sender, *files.rows(), add_pupils=True)
    page = signed_in(Role.LA_OFFICER).get("/uploads/board")
    rows = page.document.xpath("//tbody/tr")
    schools = [row.xpath("string(th//a/@href)") for row in rows]
    assert (schools[0], schools[-1]) == (f"/schools/{silent}", f"/schools/{sender}")
    assert "Nothing sent" in rows[0].text_content()
    counts = {
        count.xpath("string(dt/text())").strip(): count.xpath("string(dd)").strip() for count in page.document.xpath("//dl/div")
    }
    assert (counts["Schools"], counts["Nothing sent"]) == (str(len(rows)), str(len(rows) - 1))


def _cancelled_upload(world: World, age: int) -> Upload:
    return Upload(
        id=uuid4(),
        school_id=world.authority.primary,
        kind="marks",
        state="cancelled",
        file_name=f"week {age}.csv",
        sha256=f"{age}",
        size=1,
        received_at=clock.now() - timedelta(hours=age),
    )


def test_the_list_of_uploads_links_to_older_ones(world: World, signed_in: Callable[..., Browser]) -> None:
    with unit_of_work(world.authority.scope()):
        write_rows(lambda: tx().add_all([_cancelled_upload(world, age) for age in range(PAGE_SIZE + 2)]))
    browser = signed_in(Role.LA_OFFICER)
    first = browser.get("/uploads")
    assert len(first.document.xpath("//tbody/tr")) == PAGE_SIZE
    older = browser.get(first.document.xpath("string(//a[@rel='next']/@href)"))
    names = [row.xpath("string(.//*[@class='portal-table__note'])") for row in older.document.xpath("//tbody/tr")]
    assert names == [f"week {PAGE_SIZE}.csv", f"week {PAGE_SIZE + 1}.csv"]
    assert older.document.xpath("//a[@rel='next']") == []
