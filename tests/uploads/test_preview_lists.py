"""What a person checks before applying: changes by pupil, and pupils left out or new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.audit.models import ReadLog
from portal.db.work import tx, unit_of_work
from portal.security.permissions import Role
from portal.uploads import actions
from tests.uploads import files
from tests.uploads.files import csv, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.support.browser import Browser
    from tests.support.world import World

#: Two marks of pupil 0 become others, a mark of pupil 1 stays, and pupil 9 is new.
CHANGED = (row(0, "02/11/2026", "AM", "I"), row(0, "02/11/2026", "PM", "O"), row(1, "02/11/2026", "AM", "/"))
NEW = row(9, "02/11/2026", "AM", "/")


def preview(world: World, *lines: str, kind: str = "marks", add_pupils: bool = False) -> UUID:
    """A previewed file, sent to the primary school, which has six pupils with every mark of two weeks."""
    with unit_of_work(world.authority.scope()):
        files.import_rows(world.authority.primary, *files.rows(), add_pupils=True)
    with unit_of_work(world.authority.scope()):
        return actions.preview(world.authority.primary, kind=kind, file_name="x.csv", content=csv(*lines), add_pupils=add_pupils)


def cells(page: Browser, path: str) -> list[list[str]]:
    """The words of each row of the page's table."""
    rows = page.get(path).document.xpath("//tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def test_each_change_is_listed_by_pupil_date_and_code(signed_in: Callable[..., Browser], world: World) -> None:
    upload_id = preview(world, *CHANGED, NEW, add_pupils=True)
    office = signed_in(Role.SCHOOL_OFFICE)
    page = office.get(f"/uploads/{upload_id}")
    assert "Make 3 changes" in page.text
    listed = cells(office, f"/uploads/{upload_id}/changes")
    assert [(name, on, old[:7], new[:1]) for name, on, old, new in listed] == [
        ("Bryn Ashdown0", "2 Nov 2026, morning", "/ – Pre", "I"),
        ("Bryn Ashdown0", "2 Nov 2026, afternoon", "\\ – Pre", "O"),
        ("Bryn Ashdown9", "2 Nov 2026, morning", "no mark", "/"),
    ]
    with unit_of_work(world.authority.scope()):
        reads = select(func.count()).select_from(ReadLog).where(ReadLog.event == "upload.changes_read")
        assert tx().scalar(reads) == 1


def test_who_is_not_in_the_file_and_who_is_new_is_named(signed_in: Callable[..., Browser], world: World) -> None:
    upload_id = preview(world, *CHANGED, NEW, add_pupils=True)
    office = signed_in(Role.SCHOOL_OFFICE)
    page = office.get(f"/uploads/{upload_id}")
    assert "4 of 6 pupils on roll are not in this file" in page.text
    assert "1 pupil is new to the portal: Bryn Ashdown9" in " ".join(page.text.split())
    missing = cells(office, f"/uploads/{upload_id}/pupils-not-in-file")
    assert missing == [[f"Bryn Ashdown{number}"] for number in range(2, 6)]


def test_a_whole_file_says_that_nobody_is_left_out_and_nothing_changes(signed_in: Callable[..., Browser], world: World) -> None:
    upload_id = preview(world, *files.rows())
    page = signed_in(Role.SCHOOL_OFFICE).get(f"/uploads/{upload_id}")
    assert "Every pupil on roll is in this file." in page.text
    assert "Apply without a change" in page.text
    assert "new to the portal" not in page.text


def test_a_pupil_list_says_who_is_missing_and_new(signed_in: Callable[..., Browser], world: World) -> None:
    with unit_of_work(world.authority.scope()):
        files.import_rows(world.authority.primary, *files.rows(), add_pupils=True)
    listed = [f"{files.upn(number)},Ashdown{number},Bryn,{files.date_of_birth(number):%d/%m/%Y}" for number in (0, 1, 2, 8)]
    content = "\n".join(["UPN,Surname,Forename,DOB", *listed]).encode()
    with unit_of_work(world.authority.scope()):
        upload_id = actions.preview(world.authority.primary, kind="pupils", file_name="x.csv", content=content)
    page = signed_in(Role.SCHOOL_OFFICE).get(f"/uploads/{upload_id}")
    assert "3 of 6 pupils on roll are not in this file" in page.text
    assert "1 pupil is new to the portal: Bryn Ashdown8" in " ".join(page.text.split())


def test_long_lists_have_pages(signed_in: Callable[..., Browser], world: World) -> None:
    upload_id = preview(world, *files.rows(code=lambda *_: "I"))
    office = signed_in(Role.SCHOOL_OFFICE)
    path, sizes = f"/uploads/{upload_id}/changes", []
    while path:
        page = office.get(path)
        sizes.append(len(page.document.xpath("//tbody/tr")))
        path = page.document.xpath("string(//a[@rel='next']/@href)")
    assert sizes == [50, 50, 20]


def test_the_lists_of_another_school_are_not_found(signed_in: Callable[..., Browser], world: World) -> None:
    with unit_of_work(world.authority.scope()):
        upload_id = actions.preview(world.authority.secondary, kind="marks", file_name="x.csv", content=csv(NEW), add_pupils=True)
    office = signed_in(Role.SCHOOL_OFFICE)
    office.get(f"/uploads/{upload_id}/changes", status=404)
    office.get(f"/uploads/{upload_id}/pupils-not-in-file", status=404)
