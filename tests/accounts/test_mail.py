"""Tests of mail: queued, delivered once, its body then deleted, and shown only in the demonstration."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.accounts.actions import mail
from portal.accounts.actions import mail as mail_actions
from portal.accounts.actions.mail import KIND, Smtp
from portal.accounts.queries.principals import command_line_scope
from portal.db.work import tx, unit_of_work
from portal.jobs.outbox import OutboxJob
from portal.security.permissions import Role
from tests.accounts.support import add_user, mails, new_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from tests.support.world import World


class MailServer(socketserver.TCPServer):
    """A mail server on this machine, with the messages it has received."""

    messages: list[str]


class MailHandler(socketserver.StreamRequestHandler):
    """Just enough SMTP to receive a message."""

    server: MailServer

    def handle(self) -> None:
        """Answer each command and store what follows DATA."""
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            command = line.strip().upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.messages.append(self._message())
                self.wfile.write(b"250 stored\r\n")
            elif command == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 yes\r\n")

    def _message(self) -> str:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.decode())
        return "".join(lines)


@contextmanager
def mail_server() -> Iterator[tuple[Smtp, list[str]]]:
    """Run a mail server: how to reach it, and the messages it receives."""
    with MailServer(("127.0.0.1", 0), MailHandler) as server:
        server.messages = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Smtp("127.0.0.1", server.server_address[1], "portal@council.example", "none"), server.messages
        server.shutdown()
        thread.join()


def test_a_message_is_delivered_once_and_its_body_deleted(world: World) -> None:
    with mail_server() as (smtp, messages), unit_of_work(command_line_scope(world.authority.id)):
        mail_id = mail_actions.send_mail("ann@council.example", "A link", "Open https://portal.example/reset/links/secret\n")
        job = tx().scalars(select(OutboxJob).where(OutboxJob.kind == KIND)).one()
        assert job.ids == {"mail_id": str(mail_id)}
        assert mail_actions.deliver_mail(mail_id, smtp) is True
        assert mail_actions.deliver_mail(mail_id, smtp) is False
        assert len(messages) == 1
        assert "To: ann@council.example" in messages[0]
        assert f"Message-ID: <{mail_id}@council.example>" in messages[0]
        assert "links/secret" in messages[0]
    assert [message.body for message in mails()] == [None]


def test_a_message_stays_queued_when_the_server_cannot_be_reached(world: World) -> None:
    with unit_of_work(command_line_scope(world.authority.id)):
        mail_id = mail_actions.send_mail("ann@council.example", "A link", "text")
        with pytest.raises(OSError, match="refused"):
            mail_actions.deliver_mail(mail_id, Smtp("127.0.0.1", 9, "portal@council.example", "none"))
    assert [(message.body, message.sent_at) for message in mails()] == [("text", None)]


def test_a_message_stays_queued_without_a_server(world: World) -> None:
    with unit_of_work(command_line_scope(world.authority.id)):
        assert mail_actions.deliver_mail(mail_actions.send_mail("ann@council.example", "A link", "text")) is False
    assert mails()[0].body == "text"


def test_a_message_is_sent_by_the_server_set_for_the_process(world: World) -> None:
    with mail_server() as (smtp, messages), unit_of_work(command_line_scope(world.authority.id)):
        mail.set_server(smtp)
        try:
            assert mail_actions.deliver_mail(mail_actions.send_mail("ann@council.example", "A link", "text")) is True
        finally:
            mail.set_server(None)
        assert len(messages) == 1


@pytest.mark.parametrize(
    ("to", "subject"),
    [
        ("ann@council.example\nBcc: eve@evil.example", "Hello"),
        ("ann@council.example", "Hello\r\nBcc: eve@evil.example"),
        ("ann@council.example", "Hello\u2028Bcc: eve@evil.example"),
        ("", "Hello"),
    ],
)
def test_a_line_break_in_an_address_or_subject_adds_no_mail_header(world: World, to: str, subject: str) -> None:
    """Attack INJ-04."""
    with unit_of_work(command_line_scope(world.authority.id)), pytest.raises(ValueError, match="one line"):
        mail_actions.send_mail(to, subject, "text")
    assert mails() == []


def test_only_the_demonstration_shows_the_mail_it_would_have_sent(demo_app: Flask, live_app: Flask, world: World) -> None:
    browser = new_browser(demo_app)
    assert "No message yet" in browser.get("/demonstration/mail").text
    browser.post("/reset", {"email": "la-officer@wrenfold.example"}, token_from="/reset")
    page = browser.get("/demonstration/mail")
    link = next(href for href in page.links().values() if "/reset/links/" in href)
    assert browser.get(link.removeprefix("https://portal.example")).h1 == "Choose a new password"
    new_browser(live_app).get("/demonstration/mail", status=404)


def test_the_demonstration_lists_its_people_by_role_and_each_signs_in_with_one_press(demo_app: Flask, world: World) -> None:
    page = new_browser(demo_app).get("/sign-in")
    assert [heading.text_content() for heading in page.document.xpath("//main//h2[not(ancestor::details)]")] == [
        "Local authority",
        "Schools",
        "Partners",
        "Oversight",
        "Sign in with a password",
    ]
    assert "Works with schools and families to find and remove barriers to attendance." in page.text
    for role, (_, membership) in world.authority.people.items():
        browser = new_browser(demo_app)
        browser.post("/demonstration/sign-in", {"membership": str(membership)}, token_from="/sign-in")
        assert role.value.replace("-", " ").title() in browser.get("/account").text


def test_one_press_signs_in_demonstration_people_only(demo_app: Flask, live_app: Flask, world: World) -> None:
    live_user = add_user(world.authority, Role.LA_ADMINISTRATOR)
    demo_membership = world.authority.people[Role.LA_OFFICER][1]
    new_browser(demo_app).post(
        "/demonstration/sign-in", {"membership": str(live_user.membership)}, status=404, token_from="/sign-in"
    )
    new_browser(demo_app).post("/demonstration/sign-in", {"membership": "nonsense"}, status=404, token_from="/sign-in")
    new_browser(live_app).post("/demonstration/sign-in", {"membership": str(demo_membership)}, status=404, token_from="/sign-in")
    assert "One press" not in new_browser(live_app).get("/sign-in").text
    browser = new_browser(demo_app)
    browser.get("/sign-in")
    assert browser.client.post("/demonstration/sign-in", data={"membership": str(demo_membership)}).status_code == 400
