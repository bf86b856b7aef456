"""Mail: queued with what causes it, delivered once, its link forgotten, and shown in the demonstration only."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.accounts import actions
from portal.accounts.actions import mail
from portal.accounts.actions.mail import KIND, Smtp
from portal.accounts.queries import command_line
from portal.db import tx, unit_of_work
from portal.permissions import Role
from tests.accounts.support import browser, mails, someone
from workers.queue import OutboxJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.support.world import World


class Postbox(socketserver.StreamRequestHandler):
    """As much of a mail server as takes a message."""

    def handle(self) -> None:
        """Answer each command; keep what comes after DATA."""
        self.wfile.write(b"220 postbox\r\n")
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.letters.append(self._letter())  # type: ignore[attr-defined]  # set where the server is made
                self.wfile.write(b"250 kept\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 yes\r\n")

    def _letter(self) -> str:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.decode())
        return "".join(lines)


@contextmanager
def postbox() -> Iterator[tuple[Smtp, list[str]]]:
    """A mail server on this machine, and the letters it got."""
    with socketserver.TCPServer(("127.0.0.1", 0), Postbox) as server:
        server.letters = []  # type: ignore[attr-defined]  # read by its handler
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Smtp("127.0.0.1", server.server_address[1], "portal@council.example", "none"), server.letters  # type: ignore[attr-defined]  # as above
        server.shutdown()
        thread.join()


def test_a_message_is_delivered_once_and_its_text_forgotten(world: World) -> None:
    with postbox() as (smtp, letters), unit_of_work(command_line(world.here.id)):
        mail_id = actions.send_mail("ann@council.example", "A link", "Open https://portal.example/reset/links/secret\n")
        job = tx().scalars(select(OutboxJob).where(OutboxJob.kind == KIND)).one()
        assert job.ids == {"mail_id": str(mail_id)}
        assert actions.deliver_mail(mail_id, smtp) is True
        assert actions.deliver_mail(mail_id, smtp) is False
        assert len(letters) == 1
        assert "To: ann@council.example" in letters[0]
        assert f"Message-ID: <{mail_id}@council.example>" in letters[0]
        assert "links/secret" in letters[0]
    assert [one.body for one in mails()] == [None]


def test_a_server_that_cannot_be_reached_leaves_the_message_to_be_tried_again(world: World) -> None:
    with unit_of_work(command_line(world.here.id)):
        mail_id = actions.send_mail("ann@council.example", "A link", "text")
        with pytest.raises(OSError, match="refused"):
            actions.deliver_mail(mail_id, Smtp("127.0.0.1", 9, "portal@council.example", "none"))
    assert [(one.body, one.sent_at) for one in mails()] == [("text", None)]


def test_without_a_server_the_message_stays(world: World) -> None:
    with unit_of_work(command_line(world.here.id)):
        assert actions.deliver_mail(actions.send_mail("ann@council.example", "A link", "text")) is False
    assert mails()[0].body == "text"


def test_a_process_is_told_its_server_once(world: World) -> None:
    with postbox() as (smtp, letters), unit_of_work(command_line(world.here.id)):
        mail.connect(smtp)
        try:
            assert actions.deliver_mail(actions.send_mail("ann@council.example", "A link", "text")) is True
        finally:
            mail.connect(None)
        assert len(letters) == 1


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ann@council.example\nBcc: eve@evil.example", "Hello"),
        ("ann@council.example", "Hello\r\nBcc: eve@evil.example"),
        ("ann@council.example", "Hello\u2028Bcc: eve@evil.example"),
        ("", "Hello"),
    ],
)
def test_inj_04_a_header_cannot_be_smuggled_in(world: World, to: str, subject: str) -> None:
    with unit_of_work(command_line(world.here.id)), pytest.raises(ValueError, match="one line"):
        actions.send_mail(to, subject, "text")
    assert mails() == []


def test_what_would_have_been_sent_is_shown_in_the_demonstration_only(demo: Flask, strict: Flask, world: World) -> None:
    at = browser(demo)
    assert "No message yet" in at.get("/demonstration/mail").text
    one = someone(world.here)
    at.post("/reset", {"email": one.email}, token_from="/reset")
    page = at.get("/demonstration/mail")
    link = next(href for href in page.links().values() if "/reset/links/" in href)
    assert at.get(link.removeprefix("https://portal.example")).h1 == "Choose a new password"
    browser(strict).get("/demonstration/mail", status=404)


def test_the_demonstration_lists_its_people_by_role_and_each_signs_in_with_one_press(demo: Flask, world: World) -> None:
    page = browser(demo).get("/sign-in")
    assert [heading.text_content() for heading in page.document.xpath("//main//h2")] == [
        "Local authority",
        "Schools",
        "Partners",
        "Oversight",
        "Sign in with a password",
    ]
    assert "Works with schools and families to find and remove barriers to attendance." in page.text
    for role, (_, membership) in world.here.people.items():
        at = browser(demo)
        at.post("/demonstration/sign-in", {"membership": str(membership)}, token_from="/sign-in")
        at.get("/account")
        assert role.value.replace("-", " ").title() in at.last.text  # type: ignore[union-attr]  # just fetched


def test_one_press_signs_in_demonstration_people_only(demo: Flask, strict: Flask, world: World) -> None:
    real = someone(world.here, Role.LA_ADMINISTRATOR)
    shown = world.here.people[Role.LA_OFFICER][1]
    browser(demo).post("/demonstration/sign-in", {"membership": str(real.membership)}, status=404, token_from="/sign-in")
    browser(demo).post("/demonstration/sign-in", {"membership": "nonsense"}, status=404, token_from="/sign-in")
    browser(strict).post("/demonstration/sign-in", {"membership": str(shown)}, status=404, token_from="/sign-in")
    assert "One press" not in browser(strict).get("/sign-in").text
    at = browser(demo)
    at.get("/sign-in")
    assert at.client.post("/demonstration/sign-in", data={"membership": str(shown)}).status_code == 400
