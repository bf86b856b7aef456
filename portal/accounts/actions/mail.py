"""Mail: queued in the transaction that causes it, delivered by a job, and shown on a page in the demonstration."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import clock
from portal.accounts.models import Mail
from portal.db import action, tx
from workers.queue import later

KIND = "accounts.deliver_mail"
TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Smtp:
    """The mail server: `encryption` is "none", "starttls" or "tls"; user and password are left empty where it asks for none."""

    host: str
    port: int
    sender: str
    encryption: str = "starttls"
    user: str = ""
    password: str = ""


@action
def send_mail(to: str, subject: str, body: str) -> UUID:
    """Queue a message in the running action; the job `accounts.deliver_mail` takes it to the mail server.

    Raises:
        ValueError: for a line break or another control character in the address or the subject (header injection).
    """
    for header in (to, subject):
        if not header.isprintable() or not header.strip():
            message = "An address or a subject of a message is one line of printable characters."
            raise ValueError(message)
    mail = Mail(id=uuid4(), to=to, subject=subject, body=body, created_at=clock.now())
    tx().add(mail)
    later(KIND, mail_id=mail.id)
    return mail.id


_server: Smtp | None = None


def connect(smtp: Smtp | None) -> None:
    """Tell this process its mail server, once; without one, messages wait (and the demonstration shows them)."""
    global _server  # noqa: PLW0603  one mail server a process is the point
    _server = smtp


@action
def deliver_mail(mail_id: UUID, smtp: Smtp | None = None) -> bool:
    """Give one message to the mail server, once; its text, which may hold a link, is forgotten as soon as it is gone.

    `smtp` is this process's server where none is given; without either the message stays. Returns whether it was sent now.

    Raises:
        OSError, smtplib.SMTPException: when the server cannot be reached or refuses; the job is tried again.
    """
    server = smtp or _server
    if server is None:
        return False
    mail = tx().scalar(select(Mail).where(Mail.id == mail_id).with_for_update())
    if mail is None or mail.sent_at is not None:
        return False
    _hand_over(_message(mail, server), server)
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


def _hand_over(message: EmailMessage, smtp: Smtp) -> None:
    trusted = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=TIMEOUT, context=trusted)
        if smtp.encryption == "tls"
        else smtplib.SMTP(smtp.host, smtp.port, timeout=TIMEOUT)
    ) as server:
        if smtp.encryption == "starttls":
            server.starttls(context=trusted)
        if smtp.user:
            server.login(smtp.user, smtp.password)
        server.send_message(message)
