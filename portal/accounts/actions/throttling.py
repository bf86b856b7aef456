"""Slows down guessing at passwords and codes. Every try is counted before it is checked.

No account is ever locked: a lock would let a stranger keep the owner out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from portal.accounts.actions.mail import send_mail
from portal.accounts.events import SLOWED
from portal.accounts.models import Person, SignInAttempt
from portal.audit.actions import record
from portal.db.work import action, needs_sign_in_rights, tx
from portal.platform import clock
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.accounts.domain.clients import Client

#: Rows of `SignInAttempt` that count the wrong tries from every address together.
_EVERYWHERE = "everywhere"
#: Rows of `SignInAttempt` that note when a slowing was recorded.
_SLOWED = "slowed"
#: Rows of `SignInAttempt` that note who signed in at a network with password and second factor, one for each person.
_CREDIT = "credit"
#: So many people at most count for a network, each once. Tries counted in their place could be bought with one account.
MOST_CREDITED = 40

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
RECOGNISED_FOR = timedelta(days=30)
ATTEMPT_RETENTION = timedelta(days=31)

#: This many wrong tries from all addresses in a quarter of an hour mean an attack. While it lasts, each address is
#: allowed a quarter of its usual tries.
ATTACK_THRESHOLD, ATTACK_WINDOW = 300, timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """The number of wrong tries allowed within a window of time.

    With `shared`, each person who signed in within the window, with their second factor, allows one more wrong try. An
    office of hundreds of people behind one address is then not slowed by its own typing errors.
    """

    tries: int
    window: timedelta
    shared: bool = False


#: Purpose → the subject whose tries are counted → its limits. An "address" is an IPv4 address or an IPv6 /64, a "site"
#: an IPv6 /48, and a "pair" one account at one address.
LIMITS: Mapping[str, Mapping[str, tuple[Limit, ...]]] = {
    "password": {
        "account": (Limit(5, _MINUTE), Limit(15, _HOUR)),
        "address": (Limit(20, 15 * _MINUTE, shared=True),),
        "site": (Limit(60, 15 * _MINUTE, shared=True),),
    },
    "factor": {
        "account": (Limit(5, 5 * _MINUTE),),
        "address": (Limit(5, 5 * _MINUTE, shared=True),),
        "site": (Limit(15, 5 * _MINUTE, shared=True),),
    },
    "help": {"account": (Limit(3, _HOUR),), "address": (Limit(60, _HOUR),)},
    # At one address three links an hour, from everywhere together more: three strangers would otherwise use up the owner's.
    "reset": {
        "pair": (Limit(3, _HOUR),),
        "account": (Limit(12, _HOUR),),
        "address": (Limit(20, _HOUR),),
        "site": (Limit(60, _HOUR),),
    },
}


class RateLimitedError(Exception):
    """Too many tries. The next one is checked after `seconds`."""

    def __init__(self, seconds: int) -> None:
        """Store how long to wait."""
        super().__init__(f"Try again in {seconds} seconds.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """One counted try: the ids of its rows, which are marked when the try turns out right."""

    ids: tuple[UUID, ...]


def check_limit(purpose: str, account: str, visitor: Client) -> Attempt:
    """Count a try as wrong and let it through, if the limits allow it.

    It counts as wrong until `mark_success` marks it right: of a hundred tries sent at once, each sees the others.
    Tries from an address the owner has signed in from before are counted separately from everyone else's tries at
    the account.

    Raises:
        RateLimitedError: when a limit is reached. The first time it is recorded, and the account's owner is told.
    """
    outcome = _count(purpose, account, visitor)
    if isinstance(outcome, Attempt):
        return outcome
    raise outcome


@needs_sign_in_rights
@action
def mark_success(ticket: Attempt) -> None:
    """Mark a try as right."""
    tx().execute(update(SignInAttempt).where(SignInAttempt.id.in_(ticket.ids)).values(succeeded=True))


@needs_sign_in_rights
@action
def credit_network(person_id: UUID, client: Client) -> None:
    """Note that a person signed in at this network with their second factor. Each person counts once in a window.

    Only then: someone with one account's password, but not its factor, must not buy tries at other accounts with it.
    """
    for purpose, limits in LIMITS.items():
        if any(limit.shared for limits_of_subject in limits.values() for limit in limits_of_subject):
            keys = _keys(purpose, str(person_id), client)
            for kind in ("address", "site"):
                if kind in keys:
                    _note_credit(keys[kind], client.blinded(_CREDIT, f"{keys[kind]} {person_id}"))


def _note_credit(network: str, person_there: str) -> None:
    # The id is made from the network and the person, so that the same person is the same row.
    row = {"id": UUID(person_there[:32]), "key_hash": network, "kind": _CREDIT, "succeeded": True, "at": clock.now()}
    tx().execute(insert(SignInAttempt).values(row).on_conflict_do_update(index_elements=["id"], set_={"at": row["at"]}))


@needs_sign_in_rights
@action
def delete_old_attempts() -> int:
    """Delete the tries that are more than a month old. Returns how many rows were deleted."""
    statement = delete(SignInAttempt).where(SignInAttempt.at < clock.now() - ATTEMPT_RETENTION)
    return len(tx().execute(statement.returning(SignInAttempt.id)).all())


@needs_sign_in_rights
@action
def _count(purpose: str, account: str, client: Client) -> Attempt | RateLimitedError:
    """Count a try, or return the error to raise. Returned and not raised, so that the slowing noted here is committed."""
    keys = _keys(purpose, account, client)
    # One lock per account and address, so that parallel tries are counted one after the other and none slips past
    # the limit. Sorted, because two transactions taking the same locks in different orders would deadlock.
    for key in sorted(keys.values()):
        tx().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    is_own = purpose in {"password", "reset"} and _has_signed_in(_pair("password", account, client))
    waits = {subject: _wait(purpose, subject, keys, is_own=is_own) for subject in LIMITS[purpose] if subject in keys}
    subject, seconds = max(waits.items(), key=lambda wait: wait[1])
    if seconds > 0:
        _note_slowing(purpose, subject, keys)
        return RateLimitedError(seconds)
    now = clock.now()
    rows = [SignInAttempt(id=uuid4(), key_hash=key, kind=kind, succeeded=False, at=now) for kind, key in keys.items()]
    rows.append(SignInAttempt(id=uuid4(), key_hash=purpose, kind=_EVERYWHERE, succeeded=False, at=now))
    tx().add_all(rows)
    return Attempt(tuple(row.id for row in rows))


def _keys(purpose: str, account: str, client: Client) -> dict[str, str]:
    """The hashed keys a try is counted under: account, network, the two together, and wider network."""
    keys = {
        "account": client.blinded(f"{purpose} account", account),
        "address": client.blinded(f"{purpose} address", client.network),
        "pair": _pair(purpose, account, client),
    }
    return keys if client.site is None else {**keys, "site": client.blinded(f"{purpose} site", client.site)}


def _pair(purpose: str, account: str, client: Client) -> str:
    """The key of one account at one network."""
    return client.blinded(f"{purpose} pair", f"{account} {client.network}")


def _wait(purpose: str, subject: str, keys: Mapping[str, str], *, is_own: bool) -> int:
    """Seconds until the next try by this account or network is checked; 0 when it is checked now.

    `is_own` says that the account was signed in to from this network before.
    """
    now = clock.now()
    limits = LIMITS[purpose][subject]
    # Without this, strangers guessing at an account would slow its owner too, at the owner's own desk.
    kind = "pair" if subject == "account" and is_own else subject
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
    divisor = 4 if subject in {"address", "site"} and _is_under_attack(purpose) else 1
    wrong = [at for at, succeeded in tries if not succeeded]
    return max(_seconds_left(limit, divisor, wrong, _credit(keys[kind], limit), now) for limit in limits)


def _credit(network: str, limit: Limit) -> int:
    """How many more wrong tries the people who signed in at this network allow within a limit's window."""
    if not limit.shared:
        return 0
    people = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == network, SignInAttempt.kind == _CREDIT, SignInAttempt.at > clock.now() - limit.window
    )
    return len(tx().scalars(people.limit(MOST_CREDITED)).all())


def _seconds_left(limit: Limit, divisor: int, wrong_tries: Sequence[datetime], credit: int, now: datetime) -> int:
    """Seconds until one limit allows another try. `wrong_tries` are newest first."""
    wrong = [at for at in wrong_tries if at > now - limit.window]
    allowed = max(1, limit.tries // divisor) + credit
    if len(wrong) < allowed:
        return 0
    # The next try is free when the oldest of the newest `allowed` wrong ones leaves the window.
    return max(1, math.ceil((wrong[allowed - 1] + limit.window - now).total_seconds()))


def _has_signed_in(pair: str) -> bool:
    """Has this account been signed in to from this address in the last month?"""
    since = clock.now() - RECOGNISED_FOR
    successes = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == pair, SignInAttempt.succeeded.is_(True), SignInAttempt.at > since
    )
    return tx().scalar(successes.limit(1)) is not None


def _is_under_attack(purpose: str) -> bool:
    """Have there been so many wrong tries from all addresses together that it is an attack?"""
    failures = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == purpose, SignInAttempt.at > clock.now() - ATTACK_WINDOW, SignInAttempt.succeeded.is_(False)
    )
    # Limited, because this runs at every try and the full count is never needed.
    return len(tx().scalars(failures.limit(ATTACK_THRESHOLD)).all()) >= ATTACK_THRESHOLD


def _note_slowing(purpose: str, subject: str, keys: Mapping[str, str]) -> None:
    """Record a slowing and tell the account's owner, at most once in a quarter of an hour."""
    now = clock.now()
    # Without this limit an attack would flood the audit and the owner's mailbox.
    earlier = select(SignInAttempt.id).where(
        SignInAttempt.key_hash == keys[subject], SignInAttempt.kind == _SLOWED, SignInAttempt.at > now - ATTACK_WINDOW
    )
    if tx().scalar(earlier.limit(1)) is not None:
        return
    tx().add(SignInAttempt(id=uuid4(), key_hash=keys[subject], kind=_SLOWED, succeeded=True, at=now))
    person_id = scope.current().actor.person_id
    record(SLOWED, person_id, purpose=purpose, by=subject)
    is_guessing = purpose in {"password", "factor"} and subject == "account"
    owner = tx().get(Person, person_id) if person_id is not None and is_guessing else None
    if owner is not None:
        send_mail(owner.email, "Someone is trying to sign in to your account", _SLOWED_MAIL)


_SLOWED_MAIL = """Several wrong passwords or codes have been entered for your account in the attendance portal.

If this was you, wait a minute and try again. You can also choose a new password from the sign-in page.

If it was not you, you do not need to do anything: your account is not locked, and each try is slowed down.
Tell your administrator if it goes on.
"""
