"""Attacks when a file is sent: hostile names, other files, viruses, endless bodies (UPL-10 to 12, 21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.db.work import tx, unit_of_work
from portal.security.permissions import Role
from portal.uploads import actions, queries
from tests.abuse.archives import archive, stored
from tests.uploads.files import csv, get_upload, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy.orm import Session

    from tests.support.browser import Browser
    from tests.support.world import World

MEGABYTE = 1_000_000
#: A photograph with the place where it was taken, and a document with the name of its author.
PHOTOGRAPH = b"\xff\xd8\xff\xe1\x00\x40Exif\x00\x00II*\x00 GPSLatitude 51.5" + b"\x00" * 99
DOCUMENT = archive(stored("word/document.xml", b"<a/>"), stored("docProps/core.xml", b"<dc:creator>Zyxwv</dc:creator>"))
#: The test file that every virus scanner recognises, in pieces, so that no scanner stops at this source file.
TEST_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>.csv", "../../etc/x", "x" * 300, "a\r\nSet-Cookie: x=1", "gpj.\u202eexe"]
)
def test_a_hostile_file_name_is_shown_as_text_and_names_no_download(
    signed_in: Callable[..., Browser], world: World, name: str
) -> None:
    """Attack UPL-10."""
    browser = signed_in(Role.SCHOOL_OFFICE)
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        upload_id = actions.preview(
            world.authority.primary, kind="marks", file_name=name, content=csv(row(0, "13/11/2026", "AM", "Z1"))
        )
    page = browser.client.get(f"/uploads/{upload_id}")
    assert "<script>alert" not in page.text
    assert "x=1" not in str(page.headers)
    answer = browser.client.get(f"/uploads/{upload_id}/refused-rows")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="refused-rows-')


@pytest.mark.parametrize("content", [PHOTOGRAPH, DOCUMENT], ids=["photograph", "document"])
def test_a_photograph_or_document_is_not_stored(world: World, as_role: Callable[..., Session], content: bytes) -> None:
    """Attack UPL-11."""
    as_role(Role.SCHOOL_OFFICE)
    upload = get_upload(actions.preview(world.authority.primary, kind="marks", file_name="note.csv", content=content))
    assert (upload.state, queries.content_of(upload.id)) == ("rejected", b"")


def test_a_file_with_a_virus_signature_is_not_stored_and_is_audited(world: World, as_role: Callable[..., Session]) -> None:
    """Attack UPL-12."""
    as_role(Role.SCHOOL_OFFICE)
    upload = get_upload(actions.preview(world.authority.primary, kind="marks", file_name="week.csv", content=TEST_VIRUS))
    assert (upload.state, queries.content_of(upload.id)) == ("rejected", b"")
    assert "has the mark of a virus" in (upload.rejection or "")
    rejections = tx().scalars(select(AuditEvent).where(AuditEvent.event == "upload.refused")).all()
    assert [rejection.facts["reason"] for rejection in rejections] == ["virus"]


class Endless:
    """A request body that never ends: the start of a file, then more and more rows."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self.buffer = b'--end-of-part\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'

    def read(self, size: int = -1) -> bytes:
        size = MEGABYTE if size < 0 else size
        self.buffer += b"UPN,Date,Session,Code\n" * (size // 20 + 1)
        chunk, self.buffer = self.buffer[:size], self.buffer[size:][:99]
        self.bytes_read += len(chunk)
        return chunk


# When Werkzeug rejects the body it leaves its temporary file to the garbage collector, which warns. No file stays on disk.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile.*", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_without_length_or_end_is_rejected_at_the_limit(app: Flask, signed_in: Callable[..., Browser]) -> None:
    """Attack UPL-21."""
    browser, body = signed_in(Role.SCHOOL_OFFICE), Endless()
    chunked = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    content_type = {"CONTENT_TYPE": "multipart/form-data; boundary=end-of-part"}
    answer = browser.client.post("/uploads/new", environ_overrides={**chunked, **content_type})
    assert answer.status_code == 413
    assert 25 * MEGABYTE < body.bytes_read <= app.config["MAX_CONTENT_LENGTH"]
