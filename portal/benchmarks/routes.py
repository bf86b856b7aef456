"""The pages of published figures: the list, loading a newer release, and what each holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, url_for

from portal.benchmarks import actions, queries
from portal.benchmarks.domain.figures import ATTRIBUTION, PHASES, by_period
from portal.benchmarks.forms import LoadRelease
from portal.platform.problems import ProblemsError
from portal.platform.refusals import must_exist
from portal.security.permissions import needs

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.platform.problems import Problem

bp = Blueprint("benchmarks", __name__, template_folder="templates")


@bp.get("/published-figures")
@needs("benchmarks.view")
def index() -> ResponseReturnValue:
    """Every release, newest first, with what it covers."""
    return render_template("benchmarks/index.html", releases=queries.releases(), latest=queries.latest(), attribution=ATTRIBUTION)


@bp.route("/published-figures/new", methods=["GET", "POST"])
@needs("benchmarks.load")
def new() -> ResponseReturnValue:
    """Load a newer release."""
    form = LoadRelease()
    problems: tuple[Problem, ...] = ()
    if form.validate_on_submit() and form.published_on.data:
        try:
            return _load(form, form.published_on.data)
        except ProblemsError as error:
            problems = error.problems
            form.add_error("file", str(problems[0]))
    return render_template("benchmarks/new.html", form=form, problems=problems)


@bp.get("/published-figures/<uuid:release_id>")
@needs("benchmarks.view")
def show(release_id: UUID) -> ResponseReturnValue:
    """What a release covers, what was left out of it, and its figures for England."""
    release = must_exist(queries.release(release_id))
    periods = by_period(queries.national_figures(release_id))
    return render_template("benchmarks/show.html", release=release, periods=periods, phases=PHASES, attribution=ATTRIBUTION)


def _load(form: LoadRelease, published_on: date) -> ResponseReturnValue:
    file = form.file.data
    release_id = actions.import_release(
        file.read(),
        name=form.name.data or "",
        published_on=published_on,
        file_name=file.filename or "",
        data_to=form.data_to.data,
    )
    flash("The release is loaded. Comparisons use its figures from now on.", "success")
    return redirect(url_for("benchmarks.show", release_id=release_id))
