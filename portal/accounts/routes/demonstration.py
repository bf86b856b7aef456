"""The demonstration's two doors, which exist nowhere else: signing in with one press, and the mail that would have been sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort, current_app, render_template, request

from portal.accounts import actions
from portal.accounts.presence import door, remember, visitor
from portal.accounts.queries import demonstration_place, principal, recent_mail, scope_of
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import go_on
from portal.permissions import open_to_all

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@bp.post("/demonstration/sign-in")
@open_to_all
def demonstration_sign_in() -> ResponseReturnValue:
    """Sign in as one of the demonstration's people, without a password, in the place pressed."""
    _only_here()
    found = demonstration_place(_membership())
    if found is None:
        abort(404)
    person_id, place = found
    with door(scope_of(place, person_id)):
        token = actions.begin(person_id, visitor().device)
        begun = principal(token)
        if begun is not None:
            token = actions.enter(begun.sign_in_id, place.membership_id, "demonstration")
    remember(token)
    return go_on(request.form.get("next"))


@bp.get("/demonstration/mail")
@open_to_all
def demonstration_mail() -> ResponseReturnValue:
    """Show what would have been sent."""
    _only_here()
    return render_template("accounts/mail.html", messages=recent_mail())


def _only_here() -> None:
    if not current_app.config["DEMONSTRATION"]:
        abort(404)


def _membership() -> UUID:
    try:
        return UUID(request.form.get("membership", ""))
    except ValueError:
        abort(404)
