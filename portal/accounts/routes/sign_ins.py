"""Signing in and out, choosing a place, and switching to another."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flask import abort, current_app, redirect, render_template, request, session, url_for

from portal.accounts import actions
from portal.accounts.forms import SignInForm
from portal.accounts.presence import door, here, local_page, who
from portal.accounts.queries import before_the_gate, demonstration_people, places_of
from portal.accounts.roles import GROUPS
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import enter, let_in, proved
from portal.permissions import for_anyone_signed_in, open_to_all

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.accounts.queries import DemonstrationPerson

WRONG = "Enter the email address and password of an account"
SUSPENDED = "Your account is suspended because it was not used for 90 days. Ask your administrator to open it again"


@bp.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Sign in by email address and password; in the demonstration, choose one of its people."""
    form = SignInForm()
    if form.validate_on_submit():
        account = proved(form.email.data, form.password.data)
        if account is not None and not account.suspended:
            return let_in(account.person_id)
        form.refuse("email", WRONG if account is None else SUSPENDED)
    return render_template("accounts/sign_in.html", form=form, groups=_demonstration(), wanted=request.args.get("next"))


@bp.post("/sign-out")
@open_to_all
def sign_out() -> ResponseReturnValue:
    """End this sign-in, and have the browser forget what it holds of us."""
    person = who()
    if person is not None:
        with door(person.scope or before_the_gate(person.person_id)):
            actions.end_sign_in(person.sign_in_id, person.person_id)
    session.clear()
    gone = redirect(url_for("accounts.sign_in"))
    gone.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return gone


@bp.get("/roles")
@for_anyone_signed_in
def choose() -> ResponseReturnValue:
    """Show the places a person can act through."""
    person = here()
    return render_template(
        "accounts/choose.html", places=places_of(person.person_id), now=person.place, wanted=request.args.get("next")
    )


@bp.post("/roles/<uuid:membership_id>")
@for_anyone_signed_in
def switch(membership_id: UUID) -> ResponseReturnValue:
    """Act through another place, with a new token."""
    person = here()
    place = next((one for one in places_of(person.person_id) if one.membership_id == membership_id), None)
    if place is None:
        abort(404)
    enter(person, place)
    return redirect(local_page(request.form.get("next")))


def _demonstration() -> list[tuple[str, list[DemonstrationPerson]]]:
    """The demonstration's people in their groups, the authority with most people first; nobody anywhere else."""
    if not current_app.config["DEMONSTRATION"]:
        return []
    people = demonstration_people()
    named = [name for name, _ in Counter(one.authority_name for one in people).most_common()]
    return [
        (title, [one for name in named for role in roles for one in people if (one.authority_name, one.role) == (name, role)])
        for title, roles in GROUPS
    ]
