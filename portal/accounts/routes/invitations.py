"""The pages for accepting an invitation, with a new account or an existing one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, session, url_for

from portal.accounts.actions import invitations as invitation_actions
from portal.accounts.current_user import INVITATION, current_principal, in_scope, request_client
from portal.accounts.domain.passwords import hash_password
from portal.accounts.domain.roles import role_name
from portal.accounts.forms import AcceptForm
from portal.accounts.queries.principals import folded_email, invitation_by_token, invitation_scope
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.passwords import expired_link_page
from portal.accounts.routes.steps import names_around, redirect_to_next_step, start_sign_in
from portal.security.permissions import open_to_all
from portal.web.forms import Form, is_post

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.accounts.queries.principals import OpenInvitation, Principal


@bp.get("/invitations/<token>")
@open_to_all
def open_invitation(token: str) -> ResponseReturnValue:
    """Move an invitation's token into this browser's cookie and redirect to an address without it."""
    # Mail scanners follow links with HEAD to look at them.
    if request.method == "HEAD":
        return "", 204
    if invitation_by_token(token) is None:
        return expired_link_page()
    session[INVITATION] = token
    return redirect(url_for("accounts.accept_invitation"))


@bp.route("/invitation", methods=["GET", "POST"])
@open_to_all
def accept_invitation() -> ResponseReturnValue:
    """Accept the invitation whose token is in the cookie."""
    token = session.get(INVITATION, "")
    invitation = invitation_by_token(token)
    if invitation is None:
        return expired_link_page()
    person = current_principal()
    if person is not None:
        return _accept_as_existing_person(token, invitation, person)
    if invitation.has_account:
        return render_template(
            "accounts/invitation_known.html", offer=invitation, role=role_name(invitation.role), is_recipient=True, form=None
        )
    return _accept_as_new_person(token, invitation)


def _accept_as_existing_person(token: str, invitation: OpenInvitation, person: Principal) -> ResponseReturnValue:
    form, is_recipient = Form(), folded_email(person.email) == folded_email(invitation.email)
    if is_recipient and form.validate_on_submit():
        with in_scope(invitation_scope(invitation, person.person_id)):
            invitation_actions.accept_as_existing_person(person.person_id, token, _hashed_address())
        session.pop(INVITATION)
        flash(f"You accepted. You can now work for {invitation.authority_name} as {role_name(invitation.role)}.", "success")
        return (
            redirect_to_next_step(url_for("accounts.choose")) if person.membership is None else redirect(url_for("accounts.choose"))
        )
    return render_template(
        "accounts/invitation_known.html", offer=invitation, role=role_name(invitation.role), is_recipient=is_recipient, form=form
    )


def _accept_as_new_person(token: str, invitation: OpenInvitation) -> ResponseReturnValue:
    form = AcceptForm(name=invitation.name)
    if is_post():
        scope = replace(invitation_scope(invitation, None), schools=invitation.school_ids)
        form.about = names_around([(invitation.authority_name, scope)])
    if form.validate_on_submit():
        with form.showing_refusals():
            with in_scope(invitation_scope(invitation, None)):
                password_hash = hash_password(form.password.data)
                person_id = invitation_actions.accept_as_new_person(
                    token, form.email.data, form.name.data, password_hash, _hashed_address()
                ).id
            session.pop(INVITATION)
            return start_sign_in(person_id)
    return render_template("accounts/accept.html", offer=invitation, role=role_name(invitation.role), form=form)


def _hashed_address() -> str:
    """The keyed hash of the client's network address, for the audit."""
    client = request_client()
    return client.blinded("accepted from", client.address)
