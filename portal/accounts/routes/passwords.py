"""The pages for passwords: a reset by mailed link, and a change with the old password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, session, url_for

from portal.accounts.actions import passwords as password_actions
from portal.accounts.actions import throttling
from portal.accounts.current_user import RESET, in_scope, link_builder, request_client, require_principal, set_session_token
from portal.accounts.domain.passwords import hash_password
from portal.accounts.forms import AskResetForm, ChangePasswordForm, ChoosePasswordForm
from portal.accounts.queries.principals import (
    account,
    account_by_email,
    folded_email,
    reset_owner,
    scope_of,
    sign_in_scope,
    usable_memberships,
)
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.second_factors import WRONG_PASSWORD
from portal.accounts.routes.steps import minimum_duration, names_around, verified_account
from portal.security.permissions import for_anyone_signed_in, open_to_all
from portal.web.forms import is_post

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue


@bp.route("/reset", methods=["GET", "POST"])
@open_to_all
def ask_reset() -> ResponseReturnValue:
    """Ask for a link to choose a new password. The answer is the same for every address, in words and in time."""
    form = AskResetForm()
    if form.validate_on_submit():
        with minimum_duration():
            _send_reset(form.email.data)
        return redirect(url_for("accounts.reset_asked"))
    return render_template("accounts/ask_reset.html", form=form)


@bp.get("/reset/asked")
@open_to_all
def reset_asked() -> ResponseReturnValue:
    """Say what happens next."""
    return render_template("accounts/reset_asked.html")


@bp.route("/reset/links/<token>", methods=["GET", "POST"])
@open_to_all
def open_reset(token: str) -> ResponseReturnValue:
    """Show a button, and once it is pressed exchange the link's token for one in this browser's cookie.

    Mail scanners follow links with HEAD and with GET to look at them: neither may use the link up.
    """
    owner = reset_owner(token)
    if request.method == "HEAD":
        return "", 204
    if owner is None:
        return expired_link_page()
    if not is_post():
        return render_template("accounts/open_reset.html")
    with in_scope(sign_in_scope(owner)):
        browser_token = password_actions.exchange_reset(token)
    if browser_token is None:
        return expired_link_page()
    session[RESET] = browser_token
    return redirect(url_for("accounts.choose_password"))


@bp.route("/reset/password", methods=["GET", "POST"])
@open_to_all
def choose_password() -> ResponseReturnValue:
    """Choose a new password in the browser that opened the link. Signing in with it needs the second factor too."""
    browser_token = session.get(RESET, "")
    owner = reset_owner(browser_token)
    owner_account = account(owner) if owner is not None else None
    if owner_account is None:
        return expired_link_page()
    form = ChoosePasswordForm()
    if is_post():
        form.about = (*owner_account.words, *_names_around(owner_account.person_id))
    if form.validate_on_submit():
        with in_scope(sign_in_scope(owner_account.person_id)):
            is_changed = password_actions.finish_reset(browser_token, hash_password(form.password.data))
        if not is_changed:
            return expired_link_page()
        session.clear()
        flash("Your password was changed. Sign in with it.", "success")
        return redirect(url_for("accounts.sign_in"))
    return render_template("accounts/choose_password.html", form=form)


@bp.route("/account/password", methods=["GET", "POST"])
@for_anyone_signed_in
def change_password() -> ResponseReturnValue:
    """Change the person's own password, which needs the old one."""
    person, form = require_principal(), ChangePasswordForm()
    if is_post():
        form.about = (person.name, person.email, *_names_around(person.person_id))
    if form.validate_on_submit():
        if verified_account(person.email, form.current.data):
            set_session_token(
                password_actions.change_password(person.person_id, person.sign_in_id, hash_password(form.password.data))
            )
            flash("Your password was changed. Your other sign-ins were ended.", "success")
            return redirect(url_for("accounts.account"))
        form.add_error("current", WRONG_PASSWORD)
    return render_template("accounts/change_password.html", form=form)


def _names_around(person_id: UUID) -> tuple[str, ...]:
    memberships = usable_memberships(person_id)
    return names_around((membership.authority_name, scope_of(membership, person_id)) for membership in memberships)


def expired_link_page() -> ResponseReturnValue:
    """The page for a link that was used or withdrawn, or has expired."""
    return render_template("accounts/link_over.html"), 410


def _send_reset(email: str) -> None:
    """Send the link, if an account has this address.

    Raises:
        RateLimitedError: when the network address or the account has reached its limit of tries.
    """
    recipient = account_by_email(email)
    with in_scope(sign_in_scope(recipient.person_id if recipient else None)):
        throttling.check_limit("reset", folded_email(email), request_client())
        if recipient is not None:
            password_actions.send_reset(recipient.person_id, link_builder("accounts.open_reset"))
