"""Outgoing mail: queued in the transaction that causes it and delivered by a job.

In the demonstration nothing is delivered; a page shows the messages.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.accounts.models import Mail
from portal.db.work import action, tx
from portal.jobs.outbox import enqueue
from portal.platform import clock

KIND = "accounts.deliver_mail"
TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Smtp:
    """How to reach the mail server.

    `encryption` is "none", "starttls" or "tls". User and password stay empty for a server without authentication.
    """

    host: str
    port: int
    sender: str
    encryption: str = "starttls"
    user: str = ""
    password: str = ""


@action
def send_mail(to: str, subject: str, body: str) -> UUID:
    """Queue a message in the running action. The job `accounts.deliver_mail` sends it after the commit.

    Raises:
        ValueError: for a line break or another control character in the address or the subject (header injection).
    """
    # Checked here and not at delivery, so that the caller's action fails and no malformed message is stored.
    for header in (to, subject):
        if not header.isprintable() or not header.strip():
            message = "The address and the subject of a message must each be one line of printable characters."
            raise ValueError(message)
    mail = Mail(id=uuid4(), to=to, subject=subject, body=body, created_at=clock.now())
    tx().add(mail)
    enqueue(KIND, mail_id=mail.id)
    return mail.id


_server: Smtp | None = None


def set_server(smtp: Smtp | None) -> None:
    """Set this process's mail server. With None, messages stay queued."""
    global _server  # noqa: PLW0603  a process has one mail server, set as it starts
    _server = smtp


@action
def deliver_mail(mail_id: UUID, smtp: Smtp | None = None) -> bool:
    """Send one queued message, once, and delete its body.

    `smtp` defaults to this process's server; without either the message stays queued. Returns whether it was
    sent by this call.

    Raises:
        OSError, smtplib.SMTPException: when the server cannot be reached or refuses; the job is tried again.
    """
    server = smtp or _server
    if server is None:
        return False
    # The lock makes a second worker with the same job wait, and then find the message sent.
    mail = tx().scalar(select(Mail).where(Mail.id == mail_id).with_for_update())
    if mail is None or mail.sent_at is not None:
        return False
    _send(_message(mail, server), server)
    # The body may hold a link that resets a password: a copy of the database must not contain working links.
    mail.attempts, mail.sent_at, mail.body = mail.attempts + 1, clock.now(), None
    return True


def _message(mail: Mail, smtp: Smtp) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = smtp.sender, mail.to, mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{smtp.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body or "")
    return message


def _send(message: EmailMessage, smtp: Smtp) -> None:
    tls = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT, context=tls)
        if smtp.encryption == "tls"
        else smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT)
    ) as server:
        if smtp.encryption == "starttls":
            server.starttls(context=tls)
        if smtp.user:
            server.login(smtp.user, smtp.password)
        server.send_message(message)
