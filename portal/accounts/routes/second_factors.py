"""The pages of the second factor: codes of the app, recovery codes, and setting up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from portal.accounts import actions
from portal.accounts.forms import CodeForm, PasswordForm, RecoveryForm, ReplaceForm, SetUpForm
from portal.accounts.presence import door, here, key, remember, visitor
from portal.accounts.queries import sign_in_scope
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import redirect_to_next_step, verified_account
from portal.accounts.second_factor import TamperedError, in_groups_of_four, make_offer, qr_code_svg, secret_from_offer
from portal.permissions import for_anyone_signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from portal.accounts.queries import Principal

WRONG_CODE = "Enter the 6 digits your app shows now. Each code works once"
WRONG_RECOVERY = "Enter a recovery code you have not used, as it was shown to you"
WRONG_PASSWORD = "Enter the password of your account"  # noqa: S105  words for a screen
EXPIRED_OFFER = "Scan the new picture and enter the code your app then shows"


@bp.route("/second-factor", methods=["GET", "POST"])
@for_anyone_signed_in
def second_factor() -> ResponseReturnValue:
    """Ask for the code of the authenticator app."""
    person, form = here(), CodeForm()
    if person.second_factor_done or not person.has_second_factor:
        return redirect_to_next_step()
    if form.validate_on_submit():
        if _checked(person, lambda: actions.prove_factor(person.sign_in_id, form.code.data, key())):
            return redirect_to_next_step()
        form.refuse("code", WRONG_CODE)
    return render_template("accounts/second_factor.html", form=form, wanted=request.args.get("next"))


@bp.route("/second-factor/recovery", methods=["GET", "POST"])
@for_anyone_signed_in
def recover() -> ResponseReturnValue:
    """Ask for a recovery code instead."""
    person, form = here(), RecoveryForm()
    if person.second_factor_done or not person.has_second_factor:
        return redirect_to_next_step()
    if form.validate_on_submit():
        if _checked(person, lambda: actions.use_recovery_code(person.sign_in_id, form.code.data)):
            return redirect_to_next_step()
        form.refuse("code", WRONG_RECOVERY)
    return render_template("accounts/recover.html", form=form, wanted=request.args.get("next"))


@bp.route("/second-factor/set-up", methods=["GET", "POST"])
@for_anyone_signed_in
def set_up_second_factor() -> ResponseReturnValue:
    """Set up an authenticator app: the first one, or one that replaces a working one."""
    person = here()
    if person.has_second_factor and not person.second_factor_done:
        return redirect(url_for("accounts.second_factor", next=request.args.get("next")))
    form = ReplaceForm() if person.has_second_factor else SetUpForm()
    if form.validate_on_submit():
        codes = _set_up(person, form)
        if codes:
            return render_template("accounts/recovery_codes.html", codes=codes, onward=redirect_to_next_step().location)
    secret = _offered_secret(person, form)
    svg = Markup(qr_code_svg(secret, person.email))  # noqa: S704  drawn by segno: black squares, no text typed by anyone
    return render_template("accounts/set_up.html", form=form, picture=svg, secret=in_groups_of_four(secret))


@bp.route("/account/recovery-codes", methods=["GET", "POST"])
@for_anyone_signed_in
def recovery_codes() -> ResponseReturnValue:
    """Make new recovery codes, once the person has given the password again."""
    person, form = here(), PasswordForm()
    if form.validate_on_submit():
        if verified_account(person.email, form.password.data):
            codes = actions.make_recovery_codes(person.person_id)
            return render_template("accounts/recovery_codes.html", codes=codes, onward=url_for("accounts.account"))
        form.refuse("password", WRONG_PASSWORD)
    return render_template("accounts/new_recovery_codes.html", form=form)


def _checked(person: Principal, check_code: Callable[[], str | None]) -> bool:
    """Count a try and check its code. A right code puts the new token in the cookie.

    Raises:
        SlowDownError: when the person or the address has had five wrong tries in five minutes.
    """
    with door(sign_in_scope(person.person_id)):
        attempt = actions.admit("factor", str(person.person_id), visitor())
        token = check_code()
        if token is None:
            return False
        actions.settle(attempt)
    remember(token)
    return True


def _set_up(person: Principal, form: SetUpForm) -> list[str] | None:
    """Set up the second factor and return the recovery codes.

    None when it failed; the form then has the error.
    """
    if isinstance(form, ReplaceForm) and verified_account(person.email, form.password.data or "") is None:
        form.refuse("password", WRONG_PASSWORD)
        return None
    try:
        secret = secret_from_offer(form.offer.data or "", key(), person.person_id)
    except TamperedError:
        form.refuse("code", EXPIRED_OFFER)
        return None
    with door(person.scope or sign_in_scope(person.person_id)):
        token_and_codes = actions.set_up_factor(person.sign_in_id, secret, form.code.data or "", key())
    if token_and_codes is None:
        form.refuse("code", WRONG_CODE)
        return None
    token, codes = token_and_codes
    remember(token)
    return codes


def _offered_secret(person: Principal, form: SetUpForm) -> str:
    """The secret of the posted form, or a new one.

    After a wrong code the same secret is shown again, because the app has scanned it already.
    """
    try:
        return secret_from_offer(form.offer.data or "", key(), person.person_id)
    except TamperedError:
        secret, form.offer.data = make_offer(key(), person.person_id)
        return secret
