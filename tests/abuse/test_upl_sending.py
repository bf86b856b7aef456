"""Abuse of sending, UPL-10 to 12 and 21: names that attack a page, files that are no register, a body without an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.db import tx, unit_of_work
from portal.permissions import Role
from portal.uploads import actions, queries
from tests.abuse.archives import archive, stored
from tests.uploads.files import csv, found, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy.orm import Session

    from tests.support.browser import Browser
    from tests.support.world import World

MEGABYTE = 1_000_000
#: A photograph that says where it was taken, and a document that says who wrote it.
PHOTOGRAPH = b"\xff\xd8\xff\xe1\x00\x40Exif\x00\x00II*\x00 GPSLatitude 51.5" + b"\x00" * 99
DOCUMENT = archive(stored("word/document.xml", b"<a/>"), stored("docProps/core.xml", b"<dc:creator>Zyxwv</dc:creator>"))
#: Put together here, so that no scanner takes this file for the one it tests with.
TEST_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>.csv", "../../etc/x", "x" * 300, "a\r\nSet-Cookie: x=1", "gpj.\u202eexe"]
)
def test_upl_10_a_name_is_shown_as_text_and_nothing_is_named_after_it(
    signed_in: Callable[..., Browser], world: World, name: str
) -> None:
    browser = signed_in(Role.SCHOOL_OFFICE)
    with unit_of_work(world.here.scope(Role.SCHOOL_OFFICE)):
        upload_id = actions.rehearse(
            world.here.primary, kind="marks", file_name=name, content=csv(row(0, "13/11/2026", "AM", "Z1"))
        )
    shown = browser.client.get(f"/uploads/{upload_id}")
    assert "<script>alert" not in shown.text
    assert "x=1" not in str(shown.headers)
    answer = browser.client.get(f"/uploads/{upload_id}/refused-rows")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="refused-rows-')


@pytest.mark.parametrize("content", [PHOTOGRAPH, DOCUMENT], ids=["photograph", "document"])
def test_upl_11_what_a_photograph_or_a_document_hides_is_not_kept(
    world: World, as_role: Callable[..., Session], content: bytes
) -> None:
    as_role(Role.SCHOOL_OFFICE)
    sent = found(actions.rehearse(world.here.primary, kind="marks", file_name="note.csv", content=content))
    assert (sent.state, queries.content_of(sent.id)) == ("refused", b"")


def test_upl_12_a_file_with_the_mark_of_a_virus_is_not_kept_and_the_sender_and_the_audit_are_told(
    world: World, as_role: Callable[..., Session]
) -> None:
    as_role(Role.SCHOOL_OFFICE)
    sent = found(actions.rehearse(world.here.primary, kind="marks", file_name="week.csv", content=TEST_VIRUS))
    assert (sent.state, queries.content_of(sent.id)) == ("refused", b"")
    assert "has the mark of a virus" in (sent.refusal or "")
    told = tx().scalars(select(AuditEvent).where(AuditEvent.event == "upload.refused")).all()
    assert [one.facts["reason"] for one in told] == ["virus"]


class Endless:
    """A body that never ends: a file's part, then rows for as long as they are asked for."""

    def __init__(self) -> None:
        self.given = 0
        self.rest = b'--end-of-part\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'

    def read(self, size: int = -1) -> bytes:
        wanted = MEGABYTE if size < 0 else size
        self.rest += b"UPN,Date,Session,Code\n" * (wanted // 20 + 1)
        part, self.rest = self.rest[:wanted], self.rest[wanted:][:99]
        self.given += len(part)
        return part


# Werkzeug leaves its spooled file to the collector when it refuses: no file is left on disk.
@pytest.mark.filterwarnings("ignore:.*SpooledTemporaryFile.*", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_upl_21_a_body_without_length_or_end_is_refused_at_the_limit(app: Flask, signed_in: Callable[..., Browser]) -> None:
    browser, body = signed_in(Role.SCHOOL_OFFICE), Endless()
    chunked = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    kind = {"CONTENT_TYPE": "multipart/form-data; boundary=end-of-part"}
    answer = browser.client.post("/uploads/new", environ_overrides={**chunked, **kind})
    assert answer.status_code == 413
    assert 25 * MEGABYTE < body.given <= app.config["MAX_CONTENT_LENGTH"]
