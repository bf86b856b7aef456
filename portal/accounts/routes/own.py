"""The page of one's own account: name, role, and the places where one is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, url_for

from portal.accounts.actions import sign_ins as sign_in_actions
from portal.accounts.current_user import require_principal
from portal.accounts.queries.principals import recovery_codes_left, sign_ins_of, usable_memberships
from portal.accounts.routes.blueprint import bp
from portal.security.permissions import ROLES, for_anyone_signed_in

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue


@bp.get("/account")
@for_anyone_signed_in
def account() -> ResponseReturnValue:
    """Show the person's own account and sign-ins."""
    person = require_principal()
    return render_template(
        "accounts/account.html",
        person=person,
        role=ROLES[person.membership.role] if person.membership else None,
        memberships=usable_memberships(person.person_id),
        sign_ins=sign_ins_of(person.person_id),
        codes_left=recovery_codes_left(person.person_id),
    )


@bp.post("/account/stay")
@for_anyone_signed_in
def stay() -> ResponseReturnValue:
    """Stay signed in. The gate stores that the sign-in was used; nothing else is needed."""
    return "", 204


@bp.post("/account/sign-ins/<uuid:sign_in_id>/end")
@for_anyone_signed_in
def end_sign_in(sign_in_id: UUID) -> ResponseReturnValue:
    """End one of the person's own sign-ins."""
    sign_in_actions.end_sign_in(sign_in_id, require_principal().person_id)
    flash("That sign-in was ended.", "success")
    return redirect(url_for("accounts.account"))


@bp.post("/account/sign-ins/end-others")
@for_anyone_signed_in
def sign_out_everywhere() -> ResponseReturnValue:
    """End every other sign-in of the person."""
    person = require_principal()
    ended = sign_in_actions.end_other_sign_ins(person.person_id, "signed out everywhere", keep=person.sign_in_id)
    flash(f"You were signed out in {ended} other place{'' if ended == 1 else 's'}.", "success")
    return redirect(url_for("accounts.account"))
