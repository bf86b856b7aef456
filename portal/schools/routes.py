"""Pages of schools: the list, a school, and the term dates of the authority and of each school."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from portal.platform import clock
from portal.platform.refusals import must_exist
from portal.rules.calendar import academic_year, academic_year_name
from portal.schools import actions, queries
from portal.schools.forms import ClosedForm, SchoolFilters, SchoolForm, SchoolListForm, TermDatesForm, TermForm, YearFilter
from portal.schools.models import PHASE_NAMES
from portal.schools.views.year_view import year_view
from portal.security import scope
from portal.security.permissions import needs
from portal.web.formats import plural
from portal.web.paging import WHOLE_LIST_SIZE, paginate, position_in

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.schools.models import School

bp = Blueprint("schools", __name__, template_folder="templates")


def _school(school_id: UUID) -> School:
    return must_exist(queries.school(school_id))


@bp.get("/schools")
@needs("schools.view")
def index() -> ResponseReturnValue:
    """The schools in scope."""
    filters = SchoolFilters(request.args).check()
    schools = [school for school in queries.schools() if filters.phase.data in {"", None, school.phase}]
    today = clock.today()
    return render_template(
        "schools/index.html",
        filters=filters,
        schools=schools,
        page=paginate(schools, position_in(request.args, size=WHOLE_LIST_SIZE), lambda school: school.id),
        phases=PHASE_NAMES,
        trusts=queries.trusts(),
        closed={school.id for school in schools if not queries.is_open(school, today)},
        whole_authority=scope.current().schools is None,
    )


@bp.route("/schools/new", methods=["GET", "POST"])
@needs("schools.manage")
def new() -> ResponseReturnValue:
    """Add a school."""
    form = SchoolForm()
    if form.validate_on_submit():
        with form.showing_refusals():
            school_id = actions.add_school(form.details())
            flash(f"{form.name.data} was added.", "success")
            return redirect(url_for("schools.show", school_id=school_id))
    return render_template("schools/edit.html", form=form, school=None)


@bp.get("/schools/<uuid:school_id>")
@needs("schools.view")
def show(school_id: UUID) -> ResponseReturnValue:
    """One school's page."""
    school = _school(school_id)
    return render_template(
        "schools/show.html",
        school=school,
        phase=PHASE_NAMES[school.phase],
        trust=queries.trusts().get(school.trust_id) if school.trust_id else None,
        is_open=queries.is_open(school, clock.today()),
    )


@bp.route("/schools/<uuid:school_id>/edit", methods=["GET", "POST"])
@needs("schools.manage")
def edit(school_id: UUID) -> ResponseReturnValue:
    """Change a school's details."""
    school = _school(school_id)
    form = SchoolForm()
    if not form.is_submitted():
        form.show(school, queries.trusts().get(school.trust_id) if school.trust_id else None)
    if form.validate_on_submit():
        with form.showing_refusals():
            actions.change_school(school_id, form.details())
            flash("The school's details were changed.", "success")
            return redirect(url_for("schools.show", school_id=school_id))
    return render_template("schools/edit.html", form=form, school=school)


@bp.route("/schools/import", methods=["GET", "POST"])
@needs("schools.manage")
def import_list() -> ResponseReturnValue:
    """Import a list of schools."""
    form, summary = SchoolListForm(), None
    if form.validate_on_submit():
        summary = actions.import_schools(form.file.data.read())
        if not summary.problems:
            counts = f"{plural(summary.added, 'school')} added, {summary.changed} changed, {summary.unchanged} as they were."
            if summary.not_schools:
                counts += f" {plural(summary.not_schools, 'row')} of places that are no schools left out."
            flash(counts, "success")
            return redirect(url_for("schools.index"))
        form.add_error("file", "Correct the rows listed below, and send the file again. Nothing was changed.")
    return render_template("schools/import.html", form=form, summary=summary)


@bp.get("/term-dates")
@needs("calendar.view")
def dates() -> ResponseReturnValue:
    """The authority's term dates."""
    return _dates_page(None)


@bp.get("/schools/<uuid:school_id>/term-dates")
@needs("calendar.view")
def school_dates(school_id: UUID) -> ResponseReturnValue:
    """A school's own term dates beside the authority's."""
    return _dates_page(_school(school_id))


def _dates_page(school: School | None) -> ResponseReturnValue:
    authority = queries.dates_of(None)
    own = queries.dates_of(school.id) if school else authority
    current_year = academic_year(clock.today())
    years = sorted({*authority.years, *own.years, current_year, current_year + 1})
    filters = YearFilter(request.args, {year: academic_year_name(year) for year in years}, current_year).check()
    year = filters.year.data
    calendar = queries.calendar_of(school.id) if school else queries.authority_calendar()
    return render_template(
        "schools/dates.html",
        school=school,
        filters=filters,
        year=year,
        view=year_view(calendar, (authority, own), year),
        own=own.in_year(year),
        authority=authority.in_year(year),
    )


def _dates_url(school_id: UUID | None, name: str = "dates") -> str:
    if school_id is None:
        return url_for(f"schools.{name}")
    return url_for(f"schools.school_{name}", school_id=school_id)


@bp.route("/term-dates/terms/new", methods=["GET", "POST"])
@needs("calendar.manage")
def new_term() -> ResponseReturnValue:
    """Add a term to the authority's dates."""
    return _new_term(None)


@bp.route("/schools/<uuid:school_id>/term-dates/terms/new", methods=["GET", "POST"])
@needs("calendar.manage_school")
def school_new_term(school_id: UUID) -> ResponseReturnValue:
    """Add a term to a school's own dates."""
    return _new_term(_school(school_id))


def _new_term(school: School | None) -> ResponseReturnValue:
    form, school_id = TermForm(), school.id if school else None
    if form.validate_on_submit():
        with form.showing_refusals():
            actions.add_term(school_id, form.listed())
            return _flash_and_return("The term was added.", school_id, academic_year(form.listed().first_day))
    return render_template("schools/new_term.html", form=form, school=school, back=_dates_url(school_id))


@bp.route("/term-dates/closed-days/new", methods=["GET", "POST"])
@needs("calendar.manage")
def new_closed() -> ResponseReturnValue:
    """Add days on which no school of the authority meets."""
    return _new_closed(None)


@bp.route("/schools/<uuid:school_id>/term-dates/closed-days/new", methods=["GET", "POST"])
@needs("calendar.manage_school")
def school_new_closed(school_id: UUID) -> ResponseReturnValue:
    """Add days on which the school does not meet."""
    return _new_closed(_school(school_id))


def _new_closed(school: School | None) -> ResponseReturnValue:
    form, school_id = ClosedForm(), school.id if school else None
    if form.validate_on_submit():
        with form.showing_refusals():
            actions.add_closed_days(school_id, form.listed())
            return _flash_and_return("The closed days were added.", school_id, academic_year(form.listed().first_day))
    return render_template("schools/new_closed.html", form=form, school=school, back=_dates_url(school_id))


@bp.route("/term-dates/import", methods=["GET", "POST"])
@needs("calendar.manage")
def import_dates() -> ResponseReturnValue:
    """Import the authority's term dates."""
    return _import_dates(None)


@bp.route("/schools/<uuid:school_id>/term-dates/import", methods=["GET", "POST"])
@needs("calendar.manage_school")
def school_import_dates(school_id: UUID) -> ResponseReturnValue:
    """Import a school's own term dates."""
    return _import_dates(_school(school_id))


def _import_dates(school: School | None) -> ResponseReturnValue:
    form, summary, school_id = TermDatesForm(), None, school.id if school else None
    if form.validate_on_submit():
        summary = actions.import_term_dates(form.file.data.read(), school_id)
        if not summary.problems:
            message = f"{plural(summary.terms, 'term')} and {plural(summary.closed, 'run')} of closed days were imported."
            return _flash_and_return(message, school_id, summary.years[0])
        form.add_error("file", "Correct the rows listed below, and send the file again. Nothing was changed.")
    return render_template("schools/import_dates.html", form=form, summary=summary, school=school, back=_dates_url(school_id))


@bp.post("/term-dates/terms/<uuid:term_id>/remove")
@needs("calendar.manage")
def remove_term(term_id: UUID) -> ResponseReturnValue:
    """Remove a term from the authority's dates."""
    return _remove_term(None, term_id)


@bp.post("/schools/<uuid:school_id>/term-dates/terms/<uuid:term_id>/remove")
@needs("calendar.manage_school")
def school_remove_term(school_id: UUID, term_id: UUID) -> ResponseReturnValue:
    """Remove a term from a school's own dates."""
    return _remove_term(school_id, term_id)


def _remove_term(school_id: UUID | None, term_id: UUID) -> ResponseReturnValue:
    first_day = actions.remove_term(school_id, term_id)
    return _flash_and_return("The term was removed.", school_id, academic_year(first_day))


@bp.post("/term-dates/closed-days/<uuid:closed_id>/remove")
@needs("calendar.manage")
def remove_closed(closed_id: UUID) -> ResponseReturnValue:
    """Remove closed days from the authority's dates."""
    return _remove_closed(None, closed_id)


@bp.post("/schools/<uuid:school_id>/term-dates/closed-days/<uuid:closed_id>/remove")
@needs("calendar.manage_school")
def school_remove_closed(school_id: UUID, closed_id: UUID) -> ResponseReturnValue:
    """Remove closed days from a school's own dates."""
    return _remove_closed(school_id, closed_id)


def _remove_closed(school_id: UUID | None, closed_id: UUID) -> ResponseReturnValue:
    first_day = actions.remove_closed_days(school_id, closed_id)
    return _flash_and_return("The closed days were removed.", school_id, academic_year(first_day))


def _flash_and_return(message: str, school_id: UUID | None, year: int) -> ResponseReturnValue:
    flash(message, "success")
    return redirect(_dates_url(school_id) + f"?year={year}")
