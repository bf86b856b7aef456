"""People, as the administrator of an authority or a school keeps them: who belongs, as what, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for

from portal.accounts import actions
from portal.accounts.forms import InviteForm, ReachForm
from portal.accounts.presence import here, link_to
from portal.accounts.queries import colleague, colleagues, open_invitations
from portal.accounts.roles import MembershipRefusedError, Reach, name_of, roles_offered
from portal.accounts.routes.blueprint import bp
from portal.permissions import Role, needs
from portal.web.fields import sent
from portal.web.pages import school_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from portal.accounts.queries import Colleague

A_PAGE, FURTHEST = 50, 10_000


@bp.get("/people")
@needs("people.manage_school")
def people() -> ResponseReturnValue:
    """Everyone in the administrator's reach, by name, and the invitations still open."""
    named = "".join(one for one in request.args.get("named", "").strip()[:100] if one.isprintable())
    page = min(max(1, request.args.get("page", 1, type=int)), FURTHEST)
    found, count = colleagues(named, page=page, size=A_PAGE)
    return render_template(
        "accounts/people.html",
        people=found,
        count=count,
        named=named,
        page=page,
        pages=-(-count // A_PAGE),
        invitations=open_invitations(),
        schools=school_names(),
    )


@bp.route("/people/new", methods=["GET", "POST"])
@needs("people.manage_school")
def new_person() -> ResponseReturnValue:
    """Invite someone."""
    form = InviteForm()
    _offer(form)
    if form.validate_on_submit():
        try:
            actions.invite(form.name.data, form.email.data, _reach(form), link_to("accounts.open_invitation"))
        except MembershipRefusedError as why:
            form.refuse("role", str(why))
        else:
            flash(f"An invitation is on its way to {form.email.data}. It is good for 7 days.", "success")
            return redirect(url_for("accounts.people"))
    return render_template("accounts/new_person.html", form=form)


@bp.get("/people/<uuid:membership_id>")
@needs("people.manage_school")
def person(membership_id: UUID) -> ResponseReturnValue:
    """Show one person's place, and what can be done."""
    return render_template("accounts/person.html", one=_one(membership_id), schools=school_names())


@bp.route("/people/<uuid:membership_id>/edit", methods=["GET", "POST"])
@needs("people.manage_school")
def edit_person(membership_id: UUID) -> ResponseReturnValue:
    """Change someone's role, schools, agency or last day."""
    one = _one(membership_id)
    now = {"role": one.role.value, "school_ids": [str(school) for school in one.school_ids]}
    form = ReachForm(**now, agency=one.agency, until=one.until)
    _offer(form)
    if form.validate_on_submit():
        try:
            actions.change_membership(membership_id, _reach(form))
        except MembershipRefusedError as why:
            form.refuse("role", str(why))
        else:
            flash(f"{one.name}’s role was changed.", "success")
            return redirect(url_for("accounts.person", membership_id=membership_id))
    return render_template("accounts/edit_person.html", form=form, one=one)


@bp.route("/people/<uuid:membership_id>/end", methods=["GET", "POST"])
@needs("people.manage_school")
def end_person(membership_id: UUID) -> ResponseReturnValue:
    """Ask whether to end someone's role, then end it."""
    one = _one(membership_id)
    if not sent():
        return render_template("accounts/end_person.html", one=one)
    try:
        actions.end_membership(membership_id)
    except MembershipRefusedError as why:
        flash(str(why), "problem")
        return redirect(url_for("accounts.person", membership_id=membership_id))
    flash(f"{one.name} can no longer act as {name_of(one.role)}.", "success")
    return redirect(url_for("accounts.people"))


@bp.post("/people/<uuid:membership_id>/send-reset")
@needs("people.manage_school")
def send_reset(membership_id: UUID) -> ResponseReturnValue:
    """Send someone a link to choose a new password; nobody chooses it for them."""
    one = _one(membership_id)
    return _done(one, lambda: actions.send_reset(one.person_id, link_to("accounts.open_reset")), "A link was sent to {name}.")


@bp.post("/people/<uuid:membership_id>/take-off-second-factor")
@needs("people.manage")
def take_off_second_factor(membership_id: UUID) -> ResponseReturnValue:
    """Take off a lost second factor."""
    one = _one(membership_id)
    words = "{name} sets up a new authenticator app at the next sign-in."
    return _done(one, lambda: actions.take_off_factor(one.person_id), words)


@bp.post("/people/<uuid:membership_id>/reinstate")
@needs("people.manage")
def reinstate(membership_id: UUID) -> ResponseReturnValue:
    """Open a suspended account again."""
    one = _one(membership_id)
    return _done(one, lambda: actions.reinstate(one.person_id), "{name}’s account is open again.")


@bp.post("/people/invitations/<uuid:invitation_id>/withdraw")
@needs("people.manage_school")
def withdraw_invitation(invitation_id: UUID) -> ResponseReturnValue:
    """Withdraw an invitation nobody has accepted."""
    try:
        actions.withdraw_invitation(invitation_id)
    except LookupError:
        abort(404)
    flash("The invitation was withdrawn. Its link no longer works.", "success")
    return redirect(url_for("accounts.people"))


def _one(membership_id: UUID) -> Colleague:
    found = colleague(membership_id)
    if found is None:
        abort(404)
    return found


def _done(one: Colleague, do: Callable[[], object], words: str) -> ResponseReturnValue:
    do()
    flash(words.format(name=one.name), "success")
    return redirect(url_for("accounts.person", membership_id=one.membership_id))


def _offer(form: ReachForm) -> None:
    """Set the roles and schools that are this administrator's to give; anyone who posts another role is refused."""
    place = here().place
    roles = roles_offered(place.role) if place else ()
    form.offer(roles, school_names())
    if sent() and form.role.data and form.role.data not in roles:
        abort(403)


def _reach(form: ReachForm) -> Reach:
    schools = frozenset(UUID(typed) for typed in form.school_ids.data or ())
    return Reach(Role(form.role.data), schools, form.agency.data or None, form.until.data)
