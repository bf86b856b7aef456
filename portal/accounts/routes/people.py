"""The administrators' pages of people: invite them, change and end their memberships, help them sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for

from portal.accounts.actions import invitations as invitation_actions
from portal.accounts.actions import passwords as password_actions
from portal.accounts.actions import people as people_actions
from portal.accounts.actions import second_factors as second_factor_actions
from portal.accounts.actions import sign_ins as sign_in_actions
from portal.accounts.actions import throttling
from portal.accounts.current_user import link_builder, request_client, require_principal
from portal.accounts.domain.lifecycle import INVITATION, InvitationStep
from portal.accounts.domain.roles import Reach, grantable_roles, role_name
from portal.accounts.forms import InviteForm, PeopleFilters, ReachForm
from portal.accounts.queries.people import colleague, colleagues, open_invitations
from portal.accounts.queries.principals import has_second_factor
from portal.accounts.routes.blueprint import bp
from portal.platform.refusals import must_exist
from portal.security.permissions import Role, needs
from portal.web.forms import flashing_refusals, is_post
from portal.web.paging import position_in
from portal.web.templating import school_names

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.accounts.queries.people import Colleague


@bp.get("/people")
@needs("people.manage_school")
def people() -> ResponseReturnValue:
    """List the people the administrator manages, by name, and the open invitations."""
    filters = PeopleFilters(request.args).check()
    page, count = colleagues(filters.name_or_email.data or "", position_in(request.args))
    return render_template(
        "accounts/people.html",
        filters=filters,
        page=page,
        count=count,
        invitations=open_invitations(),
        withdraw=INVITATION.step(InvitationStep.WITHDRAW),
        schools=school_names(),
    )


@bp.route("/people/new", methods=["GET", "POST"])
@needs("people.manage_school")
def new_person() -> ResponseReturnValue:
    """Invite a person."""
    form = InviteForm()
    _offer_choices(form)
    if form.validate_on_submit():
        with form.showing_refusals():
            invitation_actions.invite(form.name.data, form.email.data, _reach(form), link_builder("accounts.open_invitation"))
            flash(f"An invitation is on its way to {form.email.data}. It is valid for 7 days.", "success")
            return redirect(url_for("accounts.people"))
    return render_template("accounts/new_person.html", form=form)


@bp.get("/people/<uuid:membership_id>")
@needs("people.manage_school")
def person(membership_id: UUID) -> ResponseReturnValue:
    """Show one person's membership and what can be done about it."""
    managed = must_exist(colleague(membership_id))
    return render_template(
        "accounts/person.html",
        colleague=managed,
        has_second_factor=has_second_factor(managed.person_id),
        schools=school_names(),
    )


@bp.route("/people/<uuid:membership_id>/edit", methods=["GET", "POST"])
@needs("people.manage_school")
def edit_person(membership_id: UUID) -> ResponseReturnValue:
    """Change a person's role, schools, agency or last day."""
    managed = must_exist(colleague(membership_id))
    current = {"role": managed.role.value, "school_ids": [str(school_id) for school_id in managed.school_ids]}
    form = ReachForm(**current, agency=managed.agency, until=managed.until)
    _offer_choices(form)
    if form.validate_on_submit():
        with form.showing_refusals():
            people_actions.change_membership(membership_id, _reach(form))
            flash(f"{managed.name}’s role was changed.", "success")
            return redirect(url_for("accounts.person", membership_id=membership_id))
    return render_template("accounts/edit_person.html", form=form, colleague=managed)


@bp.route("/people/<uuid:membership_id>/end", methods=["GET", "POST"])
@needs("people.manage_school")
def end_person(membership_id: UUID) -> ResponseReturnValue:
    """Ask whether to end a person's role, then end it."""
    managed = must_exist(colleague(membership_id))
    if not is_post():
        return render_template("accounts/end_person.html", colleague=managed)
    with flashing_refusals():
        people_actions.end_membership(membership_id)
        flash(f"{managed.name} can no longer act as {role_name(managed.role)}.", "success")
        return redirect(url_for("accounts.people"))
    return redirect(url_for("accounts.person", membership_id=membership_id))


@bp.post("/people/<uuid:membership_id>/send-reset")
@needs("people.manage_school")
def send_reset(membership_id: UUID) -> ResponseReturnValue:
    """Send a person a link to choose a new password. Nobody can choose it for them."""
    managed = must_exist(colleague(membership_id))
    throttling.check_limit("help", str(managed.person_id), request_client())
    with flashing_refusals():
        password_actions.send_reset_for_colleague(managed.person_id, link_builder("accounts.open_reset"))
        flash(f"A link was sent to {managed.name}.", "success")
    return _to_person(managed)


@bp.post("/people/<uuid:membership_id>/end-sign-ins")
@needs("people.manage_school")
def end_sign_ins(membership_id: UUID) -> ResponseReturnValue:
    """End every sign-in of a person, for example after a laptop was stolen."""
    managed = must_exist(colleague(membership_id))
    with flashing_refusals():
        ended = sign_in_actions.end_sign_ins_of_colleague(managed.person_id)
        flash(f"{managed.name} was signed out in {ended} place{'' if ended == 1 else 's'}.", "success")
    return _to_person(managed)


@bp.post("/people/<uuid:membership_id>/take-off-second-factor")
@needs("people.manage")
def take_off_second_factor(membership_id: UUID) -> ResponseReturnValue:
    """Remove a lost second factor."""
    managed = must_exist(colleague(membership_id))
    with flashing_refusals():
        second_factor_actions.reset_second_factor(managed.person_id)
        flash(f"{managed.name} will set up a new authenticator app at the next sign-in.", "success")
    return _to_person(managed)


@bp.post("/people/<uuid:membership_id>/reinstate")
@needs("people.manage")
def reinstate(membership_id: UUID) -> ResponseReturnValue:
    """Reopen a suspended account."""
    managed = must_exist(colleague(membership_id))
    with flashing_refusals():
        people_actions.reinstate(managed.person_id)
        flash(f"{managed.name}’s account is open again.", "success")
    return _to_person(managed)


@bp.post("/people/invitations/<uuid:invitation_id>/withdraw")
@needs("people.manage_school")
def withdraw_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Withdraw an invitation that was not accepted yet."""
    invitation_actions.withdraw_invitation(invitation_id)
    flash("The invitation was cancelled. Its link no longer works.", "success")
    return redirect(url_for("accounts.people"))


def _to_person(managed: Colleague) -> ResponseReturnValue:
    """Redirect to the person's page, which shows what was done or refused."""
    return redirect(url_for("accounts.person", membership_id=managed.membership_id))


def _offer_choices(form: ReachForm) -> None:
    """Set the roles and schools this administrator may give. A posted role outside them is answered with 403."""
    membership = require_principal().membership
    roles = grantable_roles(membership.role) if membership else ()
    form.offer(roles, school_names())
    if is_post() and form.role.data and form.role.data not in roles:
        abort(403)


def _reach(form: ReachForm) -> Reach:
    school_ids = frozenset(UUID(school_id) for school_id in form.school_ids.data or ())
    return Reach(Role(form.role.data), school_ids, form.agency.data or None, form.until.data)
