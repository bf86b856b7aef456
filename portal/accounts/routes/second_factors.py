"""The second factor's pages: the code, a recovery code, setting up the app, new recovery codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from portal.accounts import actions
from portal.accounts.forms import CodeForm, PasswordForm, RecoveryForm, ReplaceForm, SetUpForm
from portal.accounts.presence import door, here, key, remember, visitor
from portal.accounts.queries import before_the_gate
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import go_on, proved
from portal.accounts.second_factor import TamperedError, in_fours, offered, picture, taken_up
from portal.permissions import for_anyone_signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from portal.accounts.queries import Principal

WRONG_CODE = "Enter the 6 digits your app shows now. Each code works once"
WRONG_RECOVERY = "Enter a recovery code you have not used, as it was shown to you"
WRONG_PASSWORD = "Enter the password of your account"  # noqa: S105  words for a screen
TOO_LATE = "Scan the new picture and enter the code your app then shows"


@bp.route("/second-factor", methods=["GET", "POST"])
@for_anyone_signed_in
def second_factor() -> ResponseReturnValue:
    """Ask for the code of the authenticator app."""
    person, form = here(), CodeForm()
    if person.second_factor_done or not person.has_second_factor:
        return go_on()
    if form.validate_on_submit():
        if _judged(person, lambda: actions.prove_factor(person.sign_in_id, form.code.data, key())):
            return go_on()
        form.refuse("code", WRONG_CODE)
    return render_template("accounts/second_factor.html", form=form, wanted=request.args.get("next"))


@bp.route("/second-factor/recovery", methods=["GET", "POST"])
@for_anyone_signed_in
def recover() -> ResponseReturnValue:
    """Ask for a recovery code instead."""
    person, form = here(), RecoveryForm()
    if person.second_factor_done or not person.has_second_factor:
        return go_on()
    if form.validate_on_submit():
        if _judged(person, lambda: actions.use_recovery_code(person.sign_in_id, form.code.data)):
            return go_on()
        form.refuse("code", WRONG_RECOVERY)
    return render_template("accounts/recover.html", form=form, wanted=request.args.get("next"))


@bp.route("/second-factor/set-up", methods=["GET", "POST"])
@for_anyone_signed_in
def set_up_second_factor() -> ResponseReturnValue:
    """Set up an authenticator app: the first, or another in place of the one that works."""
    person = here()
    if person.has_second_factor and not person.second_factor_done:
        return redirect(url_for("accounts.second_factor", next=request.args.get("next")))
    form = ReplaceForm() if person.has_second_factor else SetUpForm()
    if form.validate_on_submit():
        codes = _set_up(person, form)
        if codes:
            return render_template("accounts/recovery_codes.html", codes=codes, onward=go_on().location)
    secret = _secret_shown(person, form)
    drawn = Markup(picture(secret, person.email))  # noqa: S704  drawn by segno: black squares, no text of anyone's
    return render_template("accounts/set_up.html", form=form, picture=drawn, secret=in_fours(secret))


@bp.route("/account/recovery-codes", methods=["GET", "POST"])
@for_anyone_signed_in
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, after the password."""
    person, form = here(), PasswordForm()
    if form.validate_on_submit():
        if proved(person.email, form.password.data):
            codes = actions.make_recovery_codes(person.person_id)
            return render_template("accounts/recovery_codes.html", codes=codes, onward=url_for("accounts.account"))
        form.refuse("password", WRONG_PASSWORD)
    return render_template("accounts/new_recovery_codes.html", form=form)


def _judged(person: Principal, judge: Callable[[], str | None]) -> bool:
    """Let one try through and judge it; keeps the new token of a right one.

    Raises:
        SlowDownError: when the person or the address has had five wrong tries in five minutes.
    """
    with door(before_the_gate(person.person_id)):
        ticket = actions.admit("factor", str(person.person_id), visitor())
        token = judge()
        if token is None:
            return False
        actions.settle(ticket)
    remember(token)
    return True


def _set_up(person: Principal, form: SetUpForm) -> list[str] | None:
    """The recovery codes of a set-up that worked; None, with the form saying why, when it did not."""
    if isinstance(form, ReplaceForm) and proved(person.email, form.password.data or "") is None:
        form.refuse("password", WRONG_PASSWORD)
        return None
    try:
        secret = taken_up(form.offer.data or "", key(), person.person_id)
    except TamperedError:
        form.refuse("code", TOO_LATE)
        return None
    with door(person.scope or before_the_gate(person.person_id)):
        done = actions.set_up_factor(person.sign_in_id, secret, form.code.data or "", key())
    if done is None:
        form.refuse("code", WRONG_CODE)
        return None
    remember(done[0])
    return done[1]


def _secret_shown(person: Principal, form: SetUpForm) -> str:
    """The secret already offered, so that the app someone has just scanned stays in step; else a new one."""
    try:
        return taken_up(form.offer.data or "", key(), person.person_id)
    except TamperedError:
        secret, form.offer.data = offered(key(), person.person_id)
        return secret
