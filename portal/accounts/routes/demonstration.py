"""The demonstration's own pages: signing in with one press, and the mail it would have sent.

Outside the demonstration, and beside a real authority, they answer 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort, render_template, request

from portal.accounts.actions import sign_ins as sign_in_actions
from portal.accounts.current_user import in_scope, is_demonstration_open, request_client, set_session_token
from portal.accounts.queries.people import demonstration_membership, recent_demonstration_mail
from portal.accounts.queries.principals import principal_by_token, scope_of
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import redirect_to_next_step
from portal.platform.refusals import must_exist
from portal.security.permissions import open_to_all

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@bp.post("/demonstration/sign-in")
@open_to_all
def demonstration_sign_in() -> ResponseReturnValue:
    """Sign in as one of the demonstration's people, with the chosen membership and without a password."""
    _require_demonstration()
    person_id, membership = must_exist(demonstration_membership(_posted_membership_id()))
    with in_scope(scope_of(membership, person_id)):
        token = sign_in_actions.begin(person_id, request_client().device)
        person = principal_by_token(token)
        if person is not None:
            token = sign_in_actions.enter(person.sign_in_id, membership.membership_id, "demonstration")
    set_session_token(token)
    return redirect_to_next_step(request.form.get("next"))


@bp.get("/demonstration/mail")
@open_to_all
def demonstration_mail() -> ResponseReturnValue:
    """Show the mail that would have been sent."""
    _require_demonstration()
    return render_template("accounts/mail.html", messages=recent_demonstration_mail())


def _require_demonstration() -> None:
    if not is_demonstration_open():
        abort(404)


def _posted_membership_id() -> UUID:
    try:
        return UUID(request.form.get("membership", ""))
    except ValueError:
        abort(404)
