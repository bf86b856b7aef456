"""Passwords: forgotten and chosen again by a link, or changed by someone who knows theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import flash, redirect, render_template, request, session, url_for

from portal.accounts import actions
from portal.accounts.forms import AskResetForm, ChangePasswordForm, ChoosePasswordForm
from portal.accounts.passwords import hash_of
from portal.accounts.presence import RESET, door, here, link_to, remember, visitor
from portal.accounts.queries import account, account_by_email, before_the_gate, folded_email, reset_owner
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.second_factors import WRONG_PASSWORD
from portal.accounts.routes.steps import evened, proved
from portal.permissions import for_anyone_signed_in, open_to_all

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

GONE = 410


@bp.route("/reset", methods=["GET", "POST"])
@open_to_all
def ask_reset() -> ResponseReturnValue:
    """Ask for a link to choose a new password; the answer is the same for every address."""
    form = AskResetForm()
    if form.validate_on_submit():
        with evened():
            _send_reset(form.email.data)
        return redirect(url_for("accounts.reset_asked"))
    return render_template("accounts/ask_reset.html", form=form)


@bp.get("/reset/asked")
@open_to_all
def reset_asked() -> ResponseReturnValue:
    """Say what happens next."""
    return render_template("accounts/reset_asked.html")


@bp.get("/reset/links/<token>")
@open_to_all
def open_reset(token: str) -> ResponseReturnValue:
    """Trade a link's token at once for one in this browser's cookie, and go on to an address without it."""
    owner = reset_owner(token)
    if request.method == "HEAD":
        return "", 204
    if owner is None:
        return link_over()
    with door(before_the_gate(owner)):
        held = actions.exchange_reset(token)
    if held is None:
        return link_over()
    session[RESET] = held
    return redirect(url_for("accounts.choose_password"))


@bp.route("/reset/password", methods=["GET", "POST"])
@open_to_all
def choose_password() -> ResponseReturnValue:
    """Choose a new password in the browser that opened the link; then sign in with it, second factor and all."""
    held = session.get(RESET, "")
    owner = reset_owner(held)
    known = account(owner) if owner is not None else None
    if known is None:
        return link_over()
    form = ChoosePasswordForm()
    form.about = known.words
    if form.validate_on_submit():
        with door(before_the_gate(known.person_id)):
            done = actions.finish_reset(held, hash_of(form.password.data))
        if not done:
            return link_over()
        session.clear()
        flash("Your password was changed. Sign in with it.", "success")
        return redirect(url_for("accounts.sign_in"))
    return render_template("accounts/choose_password.html", form=form)


@bp.route("/account/password", methods=["GET", "POST"])
@for_anyone_signed_in
def change_password() -> ResponseReturnValue:
    """Change one's own password, knowing the old one."""
    person, form = here(), ChangePasswordForm()
    form.about = (person.name, person.email)
    if form.validate_on_submit():
        if proved(person.email, form.current.data):
            remember(actions.change_password(person.person_id, person.sign_in_id, hash_of(form.password.data)))
            flash("Your password was changed. Your other sign-ins were ended.", "success")
            return redirect(url_for("accounts.account"))
        form.refuse("current", WRONG_PASSWORD)
    return render_template("accounts/change_password.html", form=form)


def link_over() -> ResponseReturnValue:
    """The page for a link that was used, withdrawn, or is too old."""
    return render_template("accounts/link_over.html"), GONE


def _send_reset(email: str) -> None:
    """Send the link, if there is an account to send it to.

    Raises:
        SlowDownError: when the address or the account has had its tries.
    """
    known = account_by_email(email)
    with door(before_the_gate(known.person_id if known else None)):
        actions.admit("reset", folded_email(email), visitor())
        if known is not None:
            actions.send_reset(known.person_id, link_to("accounts.open_reset"))
