"""Accepting an invitation: as someone new, or as someone who has an account already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, session, url_for

from portal.accounts import actions
from portal.accounts.actions.invitations import NotTheirsError
from portal.accounts.forms import AcceptForm
from portal.accounts.passwords import hash_of
from portal.accounts.presence import INVITATION, door, visitor, who
from portal.accounts.queries import folded_email, invited, offer
from portal.accounts.roles import name_of
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.passwords import link_over
from portal.accounts.routes.steps import go_on, let_in
from portal.permissions import open_to_all
from portal.web.fields import Form

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.accounts.queries import Offer, Principal

OTHER_ADDRESS = "Enter the address this invitation was sent to"


@bp.get("/invitations/<token>")
@open_to_all
def open_invitation(token: str) -> ResponseReturnValue:
    """Keep an invitation's token in this browser's cookie, and go on to an address without it."""
    if request.method == "HEAD":
        return "", 204
    if offer(token) is None:
        return link_over()
    session[INVITATION] = token
    return redirect(url_for("accounts.accept_invitation"))


@bp.route("/invitation", methods=["GET", "POST"])
@open_to_all
def accept_invitation() -> ResponseReturnValue:
    """Accept the invitation in hand."""
    token = session.get(INVITATION, "")
    found = offer(token)
    if found is None:
        return link_over()
    person = who()
    if person is not None:
        return _as_someone_known(token, found, person)
    if found.has_account:
        return render_template("accounts/invitation_known.html", offer=found, role=name_of(found.role), theirs=True, form=None)
    return _as_someone_new(token, found)


def _as_someone_known(token: str, found: Offer, person: Principal) -> ResponseReturnValue:
    form, theirs = Form(), folded_email(person.email) == folded_email(found.email)
    if theirs and form.validate_on_submit():
        with door(invited(found, person.person_id)):
            actions.accept_as(person.person_id, token, _from())
        session.pop(INVITATION)
        flash(f"You accepted. You can now work for {found.authority_name} as {name_of(found.role)}.", "success")
        return go_on(url_for("accounts.choose")) if person.place is None else redirect(url_for("accounts.choose"))
    return render_template("accounts/invitation_known.html", offer=found, role=name_of(found.role), theirs=theirs, form=form)


def _as_someone_new(token: str, found: Offer) -> ResponseReturnValue:
    form = AcceptForm(name=found.name)
    if form.validate_on_submit():
        try:
            with door(invited(found, None)):
                kept = hash_of(form.password.data)
                person_id = actions.accept_as_new(token, form.email.data, form.name.data, kept, _from()).id
        except NotTheirsError:
            form.refuse("email", OTHER_ADDRESS)
        else:
            session.pop(INVITATION)
            return let_in(person_id)
    return render_template("accounts/accept.html", offer=found, role=name_of(found.role), form=form)


def _from() -> str:
    """The blinded network address this comes from, for the audit."""
    seen = visitor()
    return seen.blinded("accepted from", seen.address)
