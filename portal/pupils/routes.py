"""Pages of pupils: lists and search, details, contacts, characteristics, and possible duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from portal.audit.actions import record_alone
from portal.platform import clock
from portal.platform.refusals import NotFoundError, RefusedError, must_exist
from portal.pupils import queries
from portal.pupils.actions import children, duplicates
from portal.pupils.actions import contacts as contact_actions
from portal.pupils.actions.duplicates import Decision
from portal.pupils.domain.incoming import pupil_from_json
from portal.pupils.events import COMPARED, READ, SIDE_BY_SIDE
from portal.pupils.forms import FindForm, PupilFilters, UnlinkForm
from portal.pupils.models import CHARACTERISTIC_NAMES, ETHNICITY_NAMES, VALUE_NAMES
from portal.pupils.views import children as child_views
from portal.pupils.views.comparisons import comparison, record_comparison
from portal.rules.calendar import academic_year_name
from portal.schools.queries import schools
from portal.security.permissions import needs
from portal.web.forms import flashing_refusals
from portal.web.paging import position_in

if TYPE_CHECKING:
    from collections.abc import Mapping
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
    filters = _filters(request.args)
    page = queries.pupils(filters.as_query(), position_in(request.args), today=clock.today())
    return render_template("pupils/index.html", form=FindForm(), filters=filters, page=page)


@bp.post("/pupils/search")
@needs("pupils.view")
def search() -> ResponseReturnValue:
    """Pupils in scope, leavers included, whom a text may mean, filtered as the list was."""
    form, page = FindForm(), None
    own = {field.name for field in form}
    filters = _filters({name: value for name, value in request.form.items() if name not in own})
    if form.validate_on_submit():
        page = queries.pupils(filters.as_query(form.name.data), position_in({"after": form.after.data or ""}), today=clock.today())
    return render_template("pupils/search.html", form=form, filters=filters, page=page)


def _filters(arguments: Mapping[str, str]) -> PupilFilters:
    return PupilFilters(arguments, {str(school.id): school.name for school in schools()}).check()


@bp.get("/pupils/<uuid:pupil_id>/details")
@needs("pupils.view")
def details(pupil_id: UUID) -> ResponseReturnValue:
    """A school's record of a pupil; for the authority, the child's other records too."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="details")
    history = [(line, name, academic_year_name(line.academic_year)) for line, name in queries.roll_history(pupil_id)]
    return render_template(
        "pupils/details.html",
        pupil=pupil,
        history=history,
        other_records=child_views.other_records(pupil_id),
        kept_apart=child_views.kept_apart(pupil_id),
    )


@bp.get("/pupils/<uuid:pupil_id>/contacts")
@needs("pupils.view_contacts")
def contacts(pupil_id: UUID) -> ResponseReturnValue:
    """A pupil's home, parents and carers; hidden addresses never reach the page."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="contacts")
    home, visible = queries.contacts(pupil)
    may_change = queries.has_present_interest(pupil_id, clock.today())
    return render_template("pupils/contacts.html", pupil=pupil, home=home, contacts=visible, may_change=may_change)


@bp.post("/pupils/<uuid:pupil_id>/contacts/<uuid:contact_id>/hide")
@needs("pupils.match")
def hide_address(pupil_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Hide a parent's or carer's address."""
    return _disclose(pupil_id, contact_id, do_not_disclose=True, words="The address is hidden.")


@bp.route("/pupils/<uuid:pupil_id>/contacts/<uuid:contact_id>/show", methods=["GET", "POST"])
@needs("pupils.match")
def show_address(pupil_id: UUID, contact_id: UUID) -> ResponseReturnValue:
    """Show a hidden address again, after a warning."""
    if request.method == "POST":
        return _disclose(pupil_id, contact_id, do_not_disclose=False, words="The address is shown.")
    pupil = _pupil(pupil_id)
    if contact_id not in {contact.contact.id for contact in queries.contacts(pupil)[1]}:
        raise NotFoundError
    return render_template("pupils/show_address.html", pupil=pupil, contact_id=contact_id)


def _disclose(pupil_id: UUID, contact_id: UUID, *, do_not_disclose: bool, words: str) -> ResponseReturnValue:
    contact_actions.change_disclosure(pupil_id, contact_id, do_not_disclose=do_not_disclose)
    flash(words, "success")
    return redirect(url_for("pupils.contacts", pupil_id=pupil_id))


@bp.get("/pupils/<uuid:pupil_id>/characteristics")
@needs("pupils.view_characteristics")
def characteristics(pupil_id: UUID) -> ResponseReturnValue:
    """A pupil's characteristics, present and past."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="characteristics")
    return render_template(
        "pupils/characteristics.html",
        pupil=pupil,
        rows=queries.characteristics(pupil_id),
        names=CHARACTERISTIC_NAMES,
        values=VALUE_NAMES,
        ethnicities=ETHNICITY_NAMES,
    )


@bp.get("/pupils/matches")
@needs("pupils.match")
def matches() -> ResponseReturnValue:
    """Possible duplicates in one school's records, waiting for a person."""
    page = queries.possible_duplicates(position_in(request.args))
    return render_template(
        "pupils/matches.html",
        waiting=[(match, pupil_from_json(match.question.incoming)) for match in page.items],
        page=page,
    )


@bp.get("/pupils/matches/<uuid:question_id>")
@needs("pupils.match")
def match(question_id: UUID) -> ResponseReturnValue:
    """An existing and an incoming record, side by side."""
    waiting = must_exist(queries.possible_duplicate(question_id))
    record_alone(COMPARED, waiting.existing.id, question=question_id)
    history = queries.roll_history(waiting.existing.id)
    incoming = pupil_from_json(waiting.question.incoming)
    rows = comparison(waiting.existing, history[0] if history else None, incoming, waiting.school_name)
    return render_template("pupils/match.html", waiting=waiting, incoming=incoming, rows=rows)


@bp.post("/pupils/matches/<uuid:question_id>/decide")
@needs("pupils.match")
def decide(question_id: UUID) -> ResponseReturnValue:
    """Decide a possible duplicate: the same child, or different children."""
    decision = _decision()
    with flashing_refusals():
        duplicates.decide(question_id, decision)
        is_same = decision is Decision.SAME
        flash("The two records were merged." if is_same else "The pupil was added as a new record.", "success")
    return redirect(url_for("pupils.matches"))


def _decision() -> Decision:
    try:
        return Decision(request.form.get("decision", ""))
    except ValueError:
        abort(400)


@bp.get("/pupils/same-child")
@needs("pupils.link")
def same_children() -> ResponseReturnValue:
    """Records at two schools that may be one child, waiting for the authority."""
    return render_template("pupils/same_children.html", page=child_views.possible_same_children(position_in(request.args)))


@bp.get("/pupils/on-two-rolls")
@needs("pupils.link")
def on_two_rolls() -> ResponseReturnValue:
    """Children on roll at two schools without a dual registration."""
    return render_template("pupils/on_two_rolls.html", page=child_views.on_two_rolls(clock.today(), position_in(request.args)))


@bp.get("/pupils/same-child/<uuid:same_child_id>")
@needs("pupils.link")
def same_child(same_child_id: UUID) -> ResponseReturnValue:
    """Two schools' records that may be one child, side by side."""
    pair = must_exist(child_views.possible_same_child(same_child_id))
    older, newer = pair.records
    record_alone(SIDE_BY_SIDE, same_child_id, pupil=older.pupil.id, other_pupil=newer.pupil.id)
    return render_template("pupils/same_child.html", pair=pair, rows=record_comparison(older, newer))


@bp.post("/pupils/same-child/<uuid:same_child_id>/decide")
@needs("pupils.link")
def decide_same_child(same_child_id: UUID) -> ResponseReturnValue:
    """Decide whether two schools' records are one child: link them, or keep them apart."""
    decision = _decision()
    with flashing_refusals():
        children.decide_same_child(same_child_id, decision)
        is_same = decision is Decision.SAME
        flash("The records are linked as one child." if is_same else "The records stay two children's.", "success")
    return redirect(url_for("pupils.same_children"))


@bp.route("/pupils/<uuid:pupil_id>/unlink", methods=["GET", "POST"])
@needs("pupils.link")
def unlink(pupil_id: UUID) -> ResponseReturnValue:
    """Take a record back from the child it was linked to, with a reason."""
    pupil, form, other_records = _pupil(pupil_id), UnlinkForm(), child_views.other_records(pupil_id)
    if form.validate_on_submit():
        try:
            children.unlink(pupil_id, form.reason.data or "")
        except RefusedError as refusal:
            flash(refusal.sentence)
        else:
            flash("The record was taken back. It is a child of its own now.", "success")
        return redirect(url_for("pupils.details", pupil_id=pupil_id))
    if not other_records:
        abort(404)
    return render_template("pupils/unlink.html", pupil=pupil, form=form, other_records=other_records)
