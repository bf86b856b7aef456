"""The pages of the second factor: codes of the app, recovery codes, and setting up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, request, url_for
from markupsafe import Markup

from portal.accounts.actions import second_factors as second_factor_actions
from portal.accounts.actions import throttling
from portal.accounts.current_user import in_scope, request_client, require_principal, sealing_key, set_session_token
from portal.accounts.domain.second_factor import TamperedError, in_groups_of_four, make_offer, qr_code_svg, secret_from_offer
from portal.accounts.forms import CodeForm, PasswordForm, RecoveryForm, ReplaceForm, SetUpForm
from portal.accounts.queries.principals import sign_in_scope
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import redirect_to_next_step, verified_account
from portal.security.permissions import for_anyone_signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from portal.accounts.queries.principals import Principal

WRONG_CODE = "Enter the 6 digits your app shows now. Each code works once"
WRONG_RECOVERY = "Enter a recovery code you have not used, as it was shown to you"
WRONG_PASSWORD = "Enter the password of your account"  # noqa: S105  words for a screen
EXPIRED_OFFER = "Scan the new picture and enter the code your app then shows"


@bp.route("/second-factor", methods=["GET", "POST"])
@for_anyone_signed_in
def second_factor() -> ResponseReturnValue:
    """Ask for the code of the authenticator app."""
    person, form = require_principal(), CodeForm()
    if person.second_factor_done or not person.has_second_factor:
        return redirect_to_next_step()
    if form.validate_on_submit():
        if _checked(person, lambda: second_factor_actions.prove_factor(person.sign_in_id, form.code.data, sealing_key())):
            return redirect_to_next_step()
        form.add_error("code", WRONG_CODE)
    return render_template("accounts/second_factor.html", form=form, next_address=request.args.get("next"))


@bp.route("/second-factor/recovery", methods=["GET", "POST"])
@for_anyone_signed_in
def recover() -> ResponseReturnValue:
    """Ask for a recovery code instead."""
    person, form = require_principal(), RecoveryForm()
    if person.second_factor_done or not person.has_second_factor:
        return redirect_to_next_step()
    if form.validate_on_submit():
        if _checked(person, lambda: second_factor_actions.use_recovery_code(person.sign_in_id, form.code.data)):
            return redirect_to_next_step()
        form.add_error("code", WRONG_RECOVERY)
    return render_template("accounts/recover.html", form=form, next_address=request.args.get("next"))


@bp.route("/second-factor/set-up", methods=["GET", "POST"])
@for_anyone_signed_in
def set_up_second_factor() -> ResponseReturnValue:
    """Set up an authenticator app: the first one, or one that replaces a working one."""
    person = require_principal()
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
    person, form = require_principal(), PasswordForm()
    if form.validate_on_submit():
        if verified_account(person.email, form.password.data):
            codes = second_factor_actions.make_recovery_codes(person.person_id)
            return render_template("accounts/recovery_codes.html", codes=codes, onward=url_for("accounts.account"))
        form.add_error("password", WRONG_PASSWORD)
    return render_template("accounts/new_recovery_codes.html", form=form)


def _checked(person: Principal, check_code: Callable[[], str | None]) -> bool:
    """Count a try and check its code. A right code puts the new token in the cookie.

    Raises:
        RateLimitedError: when the person or the address has had five wrong tries in five minutes.
    """
    with in_scope(sign_in_scope(person.person_id)):
        attempt = throttling.check_limit("factor", str(person.person_id), request_client())
        token = check_code()
        if token is None:
            return False
        throttling.mark_success(attempt)
        throttling.credit_network(person.person_id, request_client())
    set_session_token(token)
    return True


def _set_up(person: Principal, form: SetUpForm) -> list[str] | None:
    """Set up the second factor and return the recovery codes.

    None when it failed; the form then has the error.
    """
    if isinstance(form, ReplaceForm) and verified_account(person.email, form.password.data or "") is None:
        form.add_error("password", WRONG_PASSWORD)
        return None
    try:
        secret = secret_from_offer(form.offer.data or "", sealing_key(), person.person_id)
    except TamperedError:
        form.add_error("code", EXPIRED_OFFER)
        return None
    with in_scope(person.scope or sign_in_scope(person.person_id)):
        token_and_codes = second_factor_actions.set_up_factor(person.sign_in_id, secret, form.code.data or "", sealing_key())
    if token_and_codes is None:
        form.add_error("code", WRONG_CODE)
        return None
    token, codes = token_and_codes
    set_session_token(token)
    return codes


def _offered_secret(person: Principal, form: SetUpForm) -> str:
    """The secret of the posted form, or a new one.

    After a wrong code the same secret is shown again, because the app has scanned it already.
    """
    try:
        return secret_from_offer(form.offer.data or "", sealing_key(), person.person_id)
    except TamperedError:
        secret, form.offer.data = make_offer(sealing_key(), person.person_id)
        return secret
