"""Tries: each one is counted before it is judged, so that guessing grows slow; no account is ever locked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import delete, func, select, update

from portal import clock, scope
from portal.accounts.actions.mail import send_mail
from portal.accounts.models import Person, SignInAttempt
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, tx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from portal.accounts.visitors import Visitor

SLOWED = event("sign_in.slowed", "Many wrong tries at signing in were slowed down", "purpose", "by")

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
KNOWN_FOR = timedelta(days=30)
KEPT_FOR = timedelta(days=31)

#: Wrong tries from everywhere in a quarter of an hour that show an attack: from then an address has a quarter of its tries.
SIEGE, SIEGE_WINDOW = 300, timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many wrong tries in so long.

    `shared`: every right try from the address in that time allows one wrong one more, so that an office of
    hundreds behind one address is not slowed by its own typing errors.
    """

    tries: int
    window: timedelta
    shared: bool = False


#: Purpose → what is counted (the account, the network address) → its limits.
LIMITS: Mapping[str, Mapping[str, tuple[Limit, ...]]] = {
    "password": {"account": (Limit(5, _MINUTE), Limit(15, _HOUR)), "address": (Limit(20, 15 * _MINUTE, shared=True),)},
    "factor": {"account": (Limit(5, 5 * _MINUTE),), "address": (Limit(5, 5 * _MINUTE, shared=True),)},
    "reset": {"account": (Limit(3, _HOUR),), "address": (Limit(20, _HOUR),)},
}


class SlowDownError(Exception):
    """Too many tries; `seconds` says when the next one will be looked at."""

    def __init__(self, seconds: int) -> None:
        """Say how long to wait."""
        super().__init__(f"Try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Ticket:
    """One try that was let through: its rows, to be marked when it turns out right."""

    ids: tuple[UUID, ...]


def admit(purpose: str, account: str, visitor: Visitor) -> Ticket:
    """Let a try through, already counted as wrong (so that a hundred at once are not all the first).

    Someone who has signed in from this address before is counted apart from strangers trying their account.

    Raises:
        SlowDownError: when the account or the address has had its tries; the first time, it is recorded and the owner is told.
    """
    refusal = _count(purpose, account, visitor)
    if isinstance(refusal, Ticket):
        return refusal
    raise refusal


@action
def settle(ticket: Ticket) -> None:
    """Mark a try as right."""
    tx().execute(update(SignInAttempt).where(SignInAttempt.id.in_(ticket.ids)).values(succeeded=True))


@action
def forget_tries() -> int:
    """Remove the tries of more than a month ago. Returns how many rows went."""
    gone = delete(SignInAttempt).where(SignInAttempt.at < clock.now() - KEPT_FOR)
    return len(tx().execute(gone.returning(SignInAttempt.id)).all())


@action
def _count(purpose: str, account: str, visitor: Visitor) -> Ticket | SlowDownError:
    keys = _keys(purpose, account, visitor)
    for key in sorted(keys.values()):
        tx().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    waits = {by: _wait(purpose, by, keys) for by in ("account", "address")}
    by, seconds = max(waits.items(), key=lambda item: item[1])
    if seconds > 0:
        _note_slowing(purpose, by, keys)
        return SlowDownError(seconds)
    now = clock.now()
    rows = [SignInAttempt(id=uuid4(), key_hash=key, kind=kind, succeeded=False, at=now) for kind, key in keys.items()]
    rows.append(SignInAttempt(id=uuid4(), key_hash=purpose, kind="everywhere", succeeded=False, at=now))
    tx().add_all(rows)
    return Ticket(tuple(row.id for row in rows))


def _keys(purpose: str, account: str, visitor: Visitor) -> dict[str, str]:
    return {
        "account": visitor.blinded(f"{purpose} account", account),
        "address": visitor.blinded(f"{purpose} address", visitor.address),
        "pair": visitor.blinded(f"{purpose} pair", f"{account} {visitor.address}"),
    }


def _wait(purpose: str, by: str, keys: Mapping[str, str]) -> int:
    """Seconds until the next try by this account or address is looked at; 0 for now."""
    now = clock.now()
    limits = LIMITS[purpose][by]
    kind = "pair" if by == "account" and purpose == "password" and _is_known(keys["pair"]) else by
    tries = (
        tx()
        .execute(
            select(SignInAttempt.at, SignInAttempt.succeeded)
            .where(SignInAttempt.key_hash == keys[kind], SignInAttempt.kind == kind)
            .where(SignInAttempt.at > now - max(limit.window for limit in limits))
            .order_by(SignInAttempt.at.desc())
        )
        .all()
    )
    quarter = 4 if by == "address" and _under_siege(purpose) else 1
    return max(_left(limit, quarter, [(at, succeeded) for at, succeeded in tries], now) for limit in limits)


def _left(limit: Limit, quarter: int, tries: Sequence[tuple[datetime, bool]], now: datetime) -> int:
    recent = [(at, right) for at, right in tries if at > now - limit.window]
    wrong = [at for at, right in recent if not right]
    allowed = max(1, limit.tries // quarter) + (sum(right for _, right in recent) if limit.shared else 0)
    if len(wrong) < allowed:
        return 0
    return max(1, math.ceil((wrong[allowed - 1] + limit.window - now).total_seconds()))


def _is_known(pair: str) -> bool:
    """Has this account been signed in to from this address in the last month?"""
    since = clock.now() - KNOWN_FOR
    right = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == pair, SignInAttempt.succeeded.is_(True), SignInAttempt.at > since
    )
    return tx().scalar(right.limit(1)) is not None


def _under_siege(purpose: str) -> bool:
    everywhere = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == purpose, SignInAttempt.at > clock.now() - SIEGE_WINDOW, SignInAttempt.succeeded.is_(False)
    )
    return len(tx().scalars(everywhere.limit(SIEGE)).all()) >= SIEGE


def _note_slowing(purpose: str, by: str, keys: Mapping[str, str]) -> None:
    """Record a slowing, and tell the owner of the account, once a quarter of an hour and not at every refused try."""
    now = clock.now()
    noted = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == keys[by], SignInAttempt.kind == "slowed", SignInAttempt.at > now - SIEGE_WINDOW
    )
    if tx().scalar(noted.limit(1)) is not None:
        return
    tx().add(SignInAttempt(id=uuid4(), key_hash=keys[by], kind="slowed", succeeded=True, at=now))
    person_id = scope.current().actor.person_id
    record(SLOWED, person_id, purpose=purpose, by=by)
    owner = tx().get(Person, person_id) if person_id is not None and by == "account" else None
    if owner is not None:
        send_mail(owner.email, "Someone is trying to sign in to your account", _TOLD)


_TOLD = """Several wrong passwords or codes have been entered for your account in the attendance portal.

If this was you, wait a minute and try again. You can also choose a new password from the sign-in page.

If it was not you, you do not need to do anything: your account is not locked, and each try is slowed down.
Tell your administrator if it goes on.
"""
