"""The board of who has sent what, the silent first, and the list of files with its way to older ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from portal import clock
from portal.db import tx, unit_of_work
from portal.permissions import Role
from portal.uploads.models import Upload
from portal.uploads.routes import PAGE
from tests.support.world import furnish
from tests.uploads import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World


def test_the_silent_school_comes_first_and_is_counted(world: World, signed_in: Callable[..., Browser]) -> None:
    sent, silent = world.here.primary, world.here.secondary
    with unit_of_work(world.here.scope()):
        files.take(sent, *files.rows(), add_pupils=True)
    page = signed_in(Role.LA_OFFICER).get("/uploads/board")
    rows = page.document.xpath("//tbody/tr")
    schools = [row.xpath("string(th//a/@href)") for row in rows]
    assert (schools[0], schools[-1]) == (f"/schools/{silent}", f"/schools/{sent}")
    assert "Nothing sent" in rows[0].text_content()
    counts = {one.xpath("string(dt/text())").strip(): one.xpath("string(dd)").strip() for one in page.document.xpath("//dl/div")}
    assert (counts["Schools"], counts["Nothing sent"]) == (str(len(rows)), str(len(rows) - 1))


def _file(world: World, age: int) -> Upload:
    return Upload(
        id=uuid4(),
        school_id=world.here.primary,
        kind="marks",
        state="withdrawn",
        file_name=f"week {age}.csv",
        sha256=f"{age}",
        size=1,
        received_at=clock.now() - timedelta(hours=age),
    )


def test_older_files_are_one_press_away(world: World, signed_in: Callable[..., Browser]) -> None:
    with unit_of_work(world.here.scope()):
        furnish(lambda: tx().add_all([_file(world, age) for age in range(PAGE + 2)]))
    at = signed_in(Role.LA_OFFICER)
    first = at.get("/uploads")
    assert len(first.document.xpath("//tbody/tr")) == PAGE
    older = at.get(first.links()["Older files"])
    names = [one.xpath("string(.//*[@class='portal-table__note'])") for one in older.document.xpath("//tbody/tr")]
    assert names == [f"week {PAGE}.csv", f"week {PAGE + 1}.csv"]
    assert "Older files" not in older.links()
