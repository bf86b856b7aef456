"""Pages of pupils: lists and search, details, contacts, characteristics, and possible duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from portal.audit.actions import record_alone
from portal.platform import clock
from portal.platform.refusals import NotFoundError, must_exist
from portal.pupils import actions, queries
from portal.pupils.actions import Decision
from portal.pupils.domain.incoming import pupil_from_json
from portal.pupils.events import COMPARED, READ
from portal.pupils.forms import FindForm, PupilFilters
from portal.pupils.models import CHARACTERISTIC_NAMES, ETHNICITY_NAMES, VALUE_NAMES
from portal.pupils.queries import PupilFilter
from portal.pupils.views.comparisons import comparison
from portal.rules.calendar import academic_year_name
from portal.schools.queries import schools
from portal.security import scope
from portal.security.permissions import needs
from portal.web.forms import flashing_refusals
from portal.web.paging import position_in

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.pupils.models import Pupil

bp = Blueprint("pupils", __name__, template_folder="templates")


def _pupil(pupil_id: UUID) -> Pupil:
    return must_exist(queries.pupil(pupil_id))


@bp.get("/pupils")
@needs("pupils.view")
def index() -> ResponseReturnValue:
    """Pupils in scope by name, filtered by school and year group, in pages."""
    filters = PupilFilters(request.args, {str(school.id): school.name for school in schools()}).check()
    page = queries.pupils(filters.as_query(), position_in(request.args), today=clock.today())
    return render_template("pupils/index.html", form=FindForm(), filters=filters, page=page)


@bp.post("/pupils/search")
@needs("pupils.view")
def search() -> ResponseReturnValue:
    """Pupils in scope, leavers included, whose surname begins with the text or whose UPN it is."""
    form, page = FindForm(), None
    if form.validate_on_submit():
        filters = PupilFilter(name=form.name.data, includes_leavers=True)
        page = queries.pupils(filters, position_in({"after": form.after.data or ""}), today=clock.today())
    return render_template("pupils/search.html", form=form, page=page)


@bp.get("/pupils/<uuid:pupil_id>/details")
@needs("pupils.view")
def details(pupil_id: UUID) -> ResponseReturnValue:
    """A pupil's identity, and every roll in scope they are or were on."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="details")
    history = [(line, name, academic_year_name(line.academic_year)) for line, name in queries.roll_history(pupil_id)]
    return render_template("pupils/details.html", pupil=pupil, history=history)


@bp.get("/pupils/<uuid:pupil_id>/contacts")
@needs("pupils.view_contacts")
def contacts(pupil_id: UUID) -> ResponseReturnValue:
    """A pupil's home, parents and carers; hidden addresses never reach the page."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="contacts")
    may_see = queries.has_present_interest(pupil_id, clock.today())
    home, visible = queries.contacts(pupil) if may_see else (None, [])
    return render_template("pupils/contacts.html", pupil=pupil, home=home, contacts=visible)


@bp.post("/pupils/<uuid:pupil_id>/contacts/<uuid:parent_id>/hide")
@needs("pupils.match")
def hide_address(pupil_id: UUID, parent_id: UUID) -> ResponseReturnValue:
    """Hide a parent's or carer's address."""
    return _disclose(pupil_id, parent_id, do_not_disclose=True, words="The address is hidden.")


@bp.route("/pupils/<uuid:pupil_id>/contacts/<uuid:parent_id>/show", methods=["GET", "POST"])
@needs("pupils.match")
def show_address(pupil_id: UUID, parent_id: UUID) -> ResponseReturnValue:
    """Show a hidden address again, after a warning."""
    if request.method == "POST":
        return _disclose(pupil_id, parent_id, do_not_disclose=False, words="The address is shown.")
    pupil = _pupil(pupil_id)
    if parent_id not in {contact.parent.id for contact in queries.contacts(pupil)[1]}:
        raise NotFoundError
    return render_template("pupils/show_address.html", pupil=pupil, parent_id=parent_id)


def _disclose(pupil_id: UUID, parent_id: UUID, *, do_not_disclose: bool, words: str) -> ResponseReturnValue:
    actions.change_disclosure(pupil_id, parent_id, do_not_disclose=do_not_disclose)
    flash(words, "success")
    return redirect(url_for("pupils.contacts", pupil_id=pupil_id))


@bp.get("/pupils/<uuid:pupil_id>/characteristics")
@needs("pupils.view_characteristics")
def characteristics(pupil_id: UUID) -> ResponseReturnValue:
    """A pupil's characteristics, present and past."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="characteristics")
    may_see = queries.has_present_interest(pupil_id, clock.today())
    return render_template(
        "pupils/characteristics.html",
        pupil=pupil,
        present=may_see,
        rows=queries.characteristics(pupil_id) if may_see else [],
        names=CHARACTERISTIC_NAMES,
        values=VALUE_NAMES,
        ethnicities=ETHNICITY_NAMES,
    )


@bp.get("/pupils/matches")
@needs("pupils.match")
def matches() -> ResponseReturnValue:
    """Possible duplicates waiting for a person."""
    page = queries.possible_duplicates(position_in(request.args))
    waiting = [(match, pupil_from_json(match.question.incoming)) for match in page.items]
    return render_template("pupils/matches.html", waiting=waiting, page=page, whole_authority=scope.current().schools is None)


@bp.get("/pupils/on-two-rolls")
@needs("pupils.match")
def on_two_rolls() -> ResponseReturnValue:
    """Pupils on roll at two schools without a dual registration."""
    # A school sees its own lines alone: this list would tell it that nobody is on two rolls.
    if scope.current().schools is not None:
        return redirect(url_for("pupils.matches"))
    return render_template("pupils/on_two_rolls.html", page=queries.on_two_rolls(clock.today(), position_in(request.args)))


@bp.get("/pupils/matches/<uuid:question_id>")
@needs("pupils.match")
def match(question_id: UUID) -> ResponseReturnValue:
    """An existing and an incoming record, side by side."""
    waiting = must_exist(queries.possible_duplicate(question_id))
    existing = must_exist(waiting.existing)
    record_alone(COMPARED, existing.id, question=question_id)
    history = queries.roll_history(existing.id)
    incoming = pupil_from_json(waiting.question.incoming)
    rows = comparison(existing, history[0] if history else None, incoming, waiting.school_name)
    return render_template("pupils/match.html", found=waiting, incoming=incoming, rows=rows)


@bp.post("/pupils/matches/<uuid:question_id>/decide")
@needs("pupils.match")
def decide(question_id: UUID) -> ResponseReturnValue:
    """Decide a possible duplicate: the same child, or different children."""
    try:
        decision = Decision(request.form.get("decision", ""))
    except ValueError:
        abort(400)
    with flashing_refusals():
        actions.decide(question_id, decision)
        is_same = decision is Decision.SAME
        flash("The two records were merged." if is_same else "The pupil was added as a new record.", "success")
    return redirect(url_for("pupils.matches"))
