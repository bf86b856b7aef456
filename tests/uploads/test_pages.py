"""The page of an upload: findings of a whole file, and a file with nothing to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.db.work import unit_of_work
from portal.security.permissions import Role
from portal.uploads import actions
from tests.uploads.files import csv, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World


def page_of(signed_in: Callable[..., Browser], world: World, *lines: str) -> str:
    """The text of the page of a previewed file."""
    with unit_of_work(world.authority.scope()):
        upload_id = actions.preview(world.authority.primary, kind="marks", file_name="x.csv", content=csv(*lines))
    return signed_in(Role.SCHOOL_OFFICE).get(f"/uploads/{upload_id}").text


def test_a_file_without_marks_has_nothing_to_apply(signed_in: Callable[..., Browser], world: World) -> None:
    text = page_of(signed_in, world, row(0, "13/11/2026", "AM", "-"))
    assert "There is nothing to apply" in text
    assert "Correct the rows below" not in text
    assert "Apply 0" not in text


def test_a_finding_about_a_whole_file_names_no_row(signed_in: Callable[..., Browser], world: World) -> None:
    text = page_of(signed_in, world, row(0, "3/11/2026", "AM", "/"))
    assert "3/11/2026 is 3 November 2026" in text
    assert "row: 0" not in text
    assert "Correct the rows below" in text
