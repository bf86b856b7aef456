"""The pages of settings: all of them, and one with its history and the form that changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for

from portal.accounts.queries.people import names_of_memberships
from portal.platform import clock
from portal.platform.refusals import NotFoundError
from portal.security.permissions import needs
from portal.settings import actions, queries
from portal.settings.domain.definitions import BY_NAME, DEFINITIONS
from portal.settings.forms import change_form

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.settings.domain.definitions import Definition

bp = Blueprint("settings", __name__, template_folder="templates")


@bp.get("/settings")
@needs("settings.view")
def index() -> ResponseReturnValue:
    """Every setting by group, with its value today and its default."""
    groups = {
        group: [definition for definition in DEFINITIONS if definition.group == group]
        for group in dict.fromkeys(definition.group for definition in DEFINITIONS)
    }
    return render_template("settings/index.html", groups=groups, in_effect=queries.settings_on(clock.today()))


@bp.get("/settings/<setting>")
@needs("settings.view")
def show(setting: str) -> ResponseReturnValue:
    """A setting, its value today, and every value it was given."""
    definition, today = _definition(setting), clock.today()
    history = queries.history_of(setting)
    return render_template(
        "settings/show.html",
        definition=definition,
        value=queries.value_on(setting, today),
        in_effect=queries.settings_on(today).get(setting),
        history=history,
        names=names_of_memberships({row.membership_id for row in history if row.membership_id}),
        today=today,
    )


@bp.route("/settings/<setting>/edit", methods=["GET", "POST"])
@needs("settings.manage")
def edit(setting: str) -> ResponseReturnValue:
    """Give a setting a new value from a day on."""
    definition, today = _definition(setting), clock.today()
    form = change_form(definition, queries.value_on(setting, today), today)
    if form.validate_on_submit():
        with form.showing_refusals():
            actions.set_value(setting, form.value.data, first_day=form.first_day.data, reason=form.reason.data)
            flash("The setting is changed.", "success")
            return redirect(url_for("settings.show", setting=setting))
    return render_template("settings/edit.html", definition=definition, form=form)


def _definition(setting: str) -> Definition:
    if setting not in BY_NAME:
        raise NotFoundError
    return BY_NAME[setting]
