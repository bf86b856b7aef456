"""The platform operator's pages: add an authority and invite its first administrator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, url_for

from portal.accounts.actions import invitations as invitation_actions
from portal.accounts.actions import people as people_actions
from portal.accounts.current_user import in_scope, link_builder, require_principal
from portal.accounts.domain.roles import Reach
from portal.accounts.forms import AuthorityForm, PersonForm
from portal.accounts.queries import people as people_queries
from portal.accounts.routes.blueprint import bp
from portal.platform.refusals import must_exist
from portal.security import scope
from portal.security.permissions import Role, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.security.scope import Scope


@bp.get("/authorities")
@needs("authorities.manage")
def authorities() -> ResponseReturnValue:
    """Every authority, by name."""
    return render_template("accounts/authorities.html", authorities=people_queries.authorities())


@bp.route("/authorities/new", methods=["GET", "POST"])
@needs("authorities.manage")
def new_authority() -> ResponseReturnValue:
    """Add an authority, then invite its first administrator."""
    form = AuthorityForm()
    if form.validate_on_submit():
        with form.showing_refusals():
            with in_scope(_operator_scope(uuid4())):
                authority_id = people_actions.add_authority(
                    form.slug.data,
                    form.name.data,
                    form.la_code.data,
                    # What the demonstration's own operator adds is part of the demonstration: anyone can be that person.
                    demonstration=require_principal().demonstration,
                ).id
            people_actions.note_authority(authority_id, form.slug.data)
            flash(f"{form.name.data} was added. Invite its first LA administrator.", "success")
            return redirect(url_for("accounts.invite_administrator", authority_id=authority_id))
    return render_template("accounts/new_authority.html", form=form)


@bp.route("/authorities/<uuid:authority_id>/administrators/new", methods=["GET", "POST"])
@needs("authorities.manage")
def invite_administrator(authority_id: UUID) -> ResponseReturnValue:
    """Invite an LA administrator to an authority."""
    name = must_exist(next((authority.name for authority in people_queries.authorities() if authority.id == authority_id), None))
    form = PersonForm()
    if form.validate_on_submit():
        with form.showing_refusals():
            with in_scope(_operator_scope(authority_id)):
                invitation_actions.invite(
                    form.name.data, form.email.data, Reach(Role.LA_ADMINISTRATOR), link_builder("accounts.open_invitation")
                )
            flash(f"An invitation is on its way to {form.email.data}. It is valid for 7 days.", "success")
            return redirect(url_for("accounts.authorities"))
    return render_template("accounts/invite_administrator.html", form=form, authority_name=name)


def _operator_scope(authority_id: UUID) -> Scope:
    """The operator's scope in one authority: for its audit chain, reaching none of its schools."""
    return replace(scope.current(), authority_id=authority_id, schools=frozenset())
