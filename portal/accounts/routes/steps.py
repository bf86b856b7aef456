"""The steps of signing in that several pages share: check the password, start, go on."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask import redirect, request, session, url_for

from portal.accounts.actions import passwords as password_actions
from portal.accounts.actions import sign_ins as sign_in_actions
from portal.accounts.actions import throttling
from portal.accounts.current_user import (
    INVITATION,
    TOKEN,
    in_scope,
    local_page,
    request_client,
    second_factor_page,
    set_session_token,
)
from portal.accounts.domain import passwords
from portal.accounts.queries.principals import (
    Account,
    account_by_email,
    folded_email,
    principal_by_token,
    scope_of,
    sign_in_scope,
    usable_memberships,
)
from portal.db.work import sign_in_rights, unit_of_work
from portal.web.templating import school_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from werkzeug import Response

    from portal.accounts.queries.principals import Principal, UsableMembership
    from portal.security.scope import Scope


#: Seconds. Longer than asking for a reset ever takes, so that the time tells nobody who has an account.
RESET_DURATION = 0.15


@contextmanager
def minimum_duration(seconds: float = RESET_DURATION) -> Iterator[None]:
    """Make the block take at least this many seconds."""
    started = time.monotonic()
    yield
    time.sleep(max(0.0, seconds - (time.monotonic() - started)))


def names_around(scopes: Iterable[tuple[str, Scope]]) -> tuple[str, ...]:
    """The names of these authorities and their scopes' schools, which make no password.

    Before someone has signed in, a scope of every school is not opened for this: the authority's name is enough.
    """
    names: list[str] = []
    for authority_name, scope in scopes:
        names.append(authority_name)
        if scope.schools:
            with in_scope(scope):
                names += school_names().values()
    return tuple(names)


def verified_account(email: str, password: str) -> Account | None:
    """The account with this email address, if the password is right; else None.

    The work is the same for an unknown address, so that the time tells nobody who has an account.

    Raises:
        RateLimitedError: when the account or the network address has reached its limit of tries.
        BusyError: when too many passwords are being checked.
    """
    account = account_by_email(email)
    scope = sign_in_scope(account.person_id if account else None)
    # Two units of work, and the slow hash between them: while it waits for its turn no connection is held, and the
    # try is committed as wrong even if the process dies meanwhile.
    with in_scope(scope):
        attempt = throttling.check_limit("password", folded_email(email), request_client())
    stored_hash = account.password_hash if account else None
    if not passwords.is_correct(password, stored_hash) or account is None or stored_hash is None:
        return None
    with in_scope(scope):
        throttling.mark_success(attempt)
        if passwords.is_outdated(stored_hash):
            password_actions.renew_hash(account.person_id, passwords.hash_password(password))
    return account


def start_sign_in(person_id: UUID) -> Response:
    """Start a sign-in for a person whose password was right, and redirect to the next step."""
    with in_scope(sign_in_scope(person_id)):
        set_session_token(sign_in_actions.begin(person_id, request_client().device))
    return redirect_to_next_step()


def redirect_to_next_step(target: str | None = None) -> Response:
    """Redirect to the next step of signing in. With no step left, redirect to the page first asked for."""
    target = target or request.args.get("next")
    # Read again, and not the principal of this request: the token in the cookie has just changed.
    with sign_in_rights(), unit_of_work(None):
        person = principal_by_token(session.get(TOKEN, ""))
        memberships = usable_memberships(person.person_id) if person else []
    if person is None:
        return redirect(url_for("accounts.sign_in", next=target))
    step = second_factor_page(person)
    if step is not None:
        return redirect(url_for(step, next=target))
    if person.membership is None and len(memberships) == 1:
        enter(person, memberships[0])
    elif not memberships and INVITATION in session:
        return redirect(url_for("accounts.accept_invitation"))
    elif person.membership is None:
        return redirect(url_for("accounts.choose", next=target))
    return redirect(local_page(target))


def enter(person: Principal, membership: UsableMembership) -> None:
    """Set the membership the person acts through, recorded in its own authority's audit."""
    how = "switch" if person.membership is not None else "demonstration" if person.demonstration else "password"
    with in_scope(scope_of(membership, person.person_id)):
        set_session_token(sign_in_actions.enter(person.sign_in_id, membership.membership_id, how))
