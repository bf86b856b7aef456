"""The board of who has sent what, as a person of the authority reads it: the silent first, each school a way to its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.db import unit_of_work
from portal.permissions import Role
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
