"""The pages for signing in and out, and for choosing a membership."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flask import redirect, render_template, request, session, url_for

from portal.accounts.actions import sign_ins as sign_in_actions
from portal.accounts.current_user import current_principal, in_scope, is_demonstration_open, local_page, require_principal
from portal.accounts.domain.roles import GROUPS
from portal.accounts.forms import SignInForm
from portal.accounts.queries.people import demonstration_people
from portal.accounts.queries.principals import sign_in_scope, usable_memberships
from portal.accounts.routes.blueprint import bp
from portal.accounts.routes.steps import enter, start_sign_in, verified_account
from portal.platform.refusals import must_exist
from portal.security.permissions import for_anyone_signed_in, open_to_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.accounts.queries.people import DemonstrationPerson
from portal.security.permissions import Role

WRONG_CREDENTIALS = "Enter the email address and password of an account"
SUSPENDED = "Your account is suspended because it was not used for 90 days. Ask your administrator to open it again"


@bp.route("/sign-in", methods=["GET", "POST"])
@open_to_all
def sign_in() -> ResponseReturnValue:
    """Sign in with email address and password. In the demonstration, choose one of its people instead."""
    form = SignInForm()
    if form.validate_on_submit():
        account = verified_account(form.email.data, form.password.data)
        if account is not None and not account.suspended:
            return start_sign_in(account.person_id)
        form.add_error("email", WRONG_CREDENTIALS if account is None else SUSPENDED)
    return render_template(
        "accounts/sign_in.html", form=form, authorities=_demonstration_authorities(), next_address=request.args.get("next")
    )


@bp.post("/sign-out")
@open_to_all
def sign_out() -> ResponseReturnValue:
    """End this sign-in and have the browser delete what it stored of the portal."""
    person = current_principal()
    if person is not None:
        with in_scope(person.scope or sign_in_scope(person.person_id)):
            sign_in_actions.end_sign_in(person.sign_in_id, person.person_id)
    session.clear()
    response = redirect(url_for("accounts.sign_in"))
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@bp.get("/roles")
@for_anyone_signed_in
def choose() -> ResponseReturnValue:
    """Show the memberships the person can act through."""
    person = require_principal()
    return render_template(
        "accounts/choose.html",
        memberships=usable_memberships(person.person_id),
        now=person.membership,
        next_address=request.args.get("next"),
    )


@bp.post("/roles/<uuid:membership_id>")
@for_anyone_signed_in
def switch(membership_id: UUID) -> ResponseReturnValue:
    """Act through another membership, with a new token."""
    person = require_principal()
    memberships = usable_memberships(person.person_id)
    enter(person, must_exist(next((usable for usable in memberships if usable.membership_id == membership_id), None)))
    return redirect(local_page(request.form.get("next")))


def _demonstration_authorities() -> list[tuple[str, list[tuple[str, list[DemonstrationPerson]]]]]:
    """The demonstration's people by authority, most people first, and by group of roles.

    Empty outside the demonstration.
    """
    if not is_demonstration_open():
        return []
    people = demonstration_people()

    def in_group(authority_name: str, roles: Sequence[Role]) -> list[DemonstrationPerson]:
        members = [person for person in people if person.authority_name == authority_name and person.role in roles]
        return sorted(members, key=lambda person: roles.index(person.role))

    by_size = [name for name, _ in Counter(person.authority_name for person in people).most_common()]
    return [(name, [(title, in_group(name, roles)) for title, roles in GROUPS]) for name in by_size]
