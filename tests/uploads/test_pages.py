"""The page of an upload: findings of a whole file, and a file with nothing to apply."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from portal.uploads import actions
from portal.uploads.domain.kinds import Kind
from portal.uploads.domain.lifecycle import UploadState
from portal.uploads.domain.previews import MarksPreview
from portal.uploads.models import Upload
from tests.support.world import write_rows
from tests.uploads.files import csv, row, upn

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
    assert "Make 0" not in text


HEADINGS = {
    UploadState.RECEIVED: "Checking the file",
    UploadState.NEEDS_MAPPING: "The columns of this file need matching",
    UploadState.PREVIEWED: "What this file would change",
    UploadState.APPLYING: "Applying the file",
    UploadState.APPLIED: "This file was applied",
    UploadState.REJECTED: "This file could not be read",
    UploadState.CANCELLED: "This upload was cancelled",
    UploadState.REVERTED: "This upload was undone",
}
#: What has happened, is under way (with a star) or has ended.
TIMELINES = {
    UploadState.RECEIVED: ["Received", "*Checked and previewed", "Applied"],
    UploadState.NEEDS_MAPPING: ["Received", "*Checked and previewed", "Applied"],
    UploadState.PREVIEWED: ["Received", "Checked and previewed", "*Applied"],
    UploadState.APPLYING: ["Received", "Checked and previewed", "*Applied"],
    UploadState.APPLIED: ["Received", "Checked and previewed", "Applied"],
    UploadState.REJECTED: ["Received", "Could not be read"],
    UploadState.CANCELLED: ["Received", "Cancelled"],
    UploadState.REVERTED: ["Received", "Checked and previewed", "Applied", "Undone"],
}


def upload_in_state(world: World, state: UploadState) -> Upload:
    """An upload of marks in a state, as its steps would have left it."""
    read = state in {UploadState.PREVIEWED, UploadState.APPLYING, UploadState.APPLIED, UploadState.REVERTED}
    return Upload(
        id=uuid4(),
        school_id=world.authority.primary,
        kind=Kind.MARKS,
        state=state,
        file_name="week.csv",
        sha256="x",
        size=1,
        received_at=clock.now(),
        layout="long" if read else None,
        preview=MarksPreview(added=1) if read else None,
        rejection="Save it as CSV." if state is UploadState.REJECTED else None,
        rows_in=int(read),
        rows_stored=int(read),
        applied_at=clock.now() if state in {UploadState.APPLIED, UploadState.REVERTED} else None,
        reverted_at=clock.now() if state is UploadState.REVERTED else None,
        revert_reason="The wrong week" if state is UploadState.REVERTED else None,
    )


@pytest.mark.parametrize("state", UploadState)
def test_the_page_of_each_state_has_its_heading_its_buttons_and_its_timeline(
    world: World, signed_in: Callable[..., Browser], state: UploadState
) -> None:
    upload = upload_in_state(world, state)
    with unit_of_work(world.authority.scope()):
        write_rows(lambda: tx().add(upload))
    page = signed_in(Role.HEADTEACHER).get(f"/uploads/{upload.id}")
    assert page.h1.endswith(HEADINGS[state])
    steps = page.document.xpath("//ol[contains(@class, 'portal-timeline')]/li")
    now = [step for step in steps if "--now" in step.get("class")]
    titles = [step.xpath("string(*/text())") for step in steps]
    assert [f"*{title}" if step in now else title for step, title in zip(steps, titles, strict=True)] == TIMELINES[state]
    assert not page.document.xpath("//main//button")
    if state is UploadState.NEEDS_MAPPING:
        return
    page = signed_in(Role.ATTENDANCE_LEAD).get(f"/uploads/{upload.id}")
    buttons = [button.text_content().strip() for button in page.document.xpath("//main//*[@data-module='govuk-button']")]
    assert buttons == {
        UploadState.PREVIEWED: ["Make 1 change", "Cancel this upload"],
        UploadState.APPLIED: ["Undo this upload"],
        UploadState.REJECTED: ["Send another file"],
    }.get(state, [])


def test_a_file_whose_columns_were_guessed_can_be_matched_again(signed_in: Callable[..., Browser], world: World) -> None:
    content = f"UPN,02/11/2026\n{upn(0)},/\n".encode()
    with unit_of_work(world.authority.scope()):
        upload_id = actions.preview(world.authority.primary, kind="marks", file_name="x.csv", content=content)
    browser = signed_in(Role.SCHOOL_OFFICE)
    assert browser.get(browser.get(f"/uploads/{upload_id}").links()["Match your columns"]).h1 == "Match your columns"


def test_a_file_that_cannot_be_reverted_has_no_button_and_says_why(signed_in: Callable[..., Browser], world: World) -> None:
    with unit_of_work(world.authority.scope()):
        content = f"UPN,Unique Reference Number,Possible Sessions,Absent Sessions\n{upn(0)},900001,20,1\n".encode()
        upload_id = actions.import_file(world.authority.primary, kind="totals", file_name="x.csv", content=content)
    browser = signed_in(Role.ATTENDANCE_LEAD)
    assert "Undo this upload" not in browser.get(f"/uploads/{upload_id}").text
    page = browser.post(f"/uploads/{upload_id}/undo", {"reason": "x"}, token_from=f"/uploads/{upload_id}/undo")
    assert "Only a file of marks can be undone" in page.text


def test_a_finding_about_a_whole_file_names_no_row(signed_in: Callable[..., Browser], world: World) -> None:
    text = page_of(signed_in, world, row(0, "3/11/2026", "AM", "/"))
    assert "3/11/2026 is 3 November 2026" in text
    assert "row: 0" not in text
    assert "Correct the rows below" in text
