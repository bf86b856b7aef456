"""Where pupils live: finding one, their details, contacts and characteristics, and the matches a person must decide."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from portal import clock, scope
from portal.audit.actions import record_alone
from portal.audit.events import event
from portal.permissions import needs
from portal.pupils import actions, queries
from portal.pupils.actions import Decision
from portal.pupils.comparing import comparison
from portal.pupils.forms import FindForm
from portal.pupils.incoming import YEAR_GROUPS, from_kept
from portal.pupils.models import CHARACTERISTIC_NAMES, ETHNICITY_NAMES, VALUE_NAMES
from portal.pupils.queries import Sought
from portal.rules.calendar import academic_year_name
from portal.schools.queries import schools
from portal.web.paging import PAGE_SIZE, listing

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.pupils.models import Pupil

bp = Blueprint("pupils", __name__, template_folder="templates")

READ = event("pupil.read", "A part of a pupil's record was read", "part")
COMPARED = event("pupil_match.compared", "A held and an incoming record were read side by side", "question")


def _pupil(pupil_id: UUID) -> Pupil:
    found = queries.pupil(pupil_id)
    if found is None:
        abort(404)
    return found


@bp.get("/pupils")
@needs("pupils.view")
def index() -> ResponseReturnValue:
    """Pupils in scope by name, by school and year group, a page at a time."""
    reachable = schools()
    asked = listing(
        request.args,
        columns={"name": str},
        default="name",
        filters={"school": [str(one.id) for one in reachable], "year-group": YEAR_GROUPS, "show": ("everyone",)},
    )
    sought = Sought(
        school_id=UUID(asked.filters["school"]) if "school" in asked.filters else None,
        year_group=asked.filters.get("year-group"),
        everyone="show" in asked.filters,
    )
    key = asked.key[1] if asked.key else None
    found = queries.pupils(sought, key=key, backwards=asked.backwards, fetch=asked.fetch, today=clock.today())
    page = asked.page(found, lambda one: (None, one.pupil.id))
    return render_template(
        "pupils/index.html", form=FindForm(), schools=reachable, chosen=asked.filters, page=page, groups=YEAR_GROUPS
    )


@bp.post("/pupils/search")
@needs("pupils.view")
def search() -> ResponseReturnValue:
    """Pupils in scope whose surname begins so, or whose UPN it is, leavers among them."""
    form, found, more = FindForm(), [], None
    if form.validate_on_submit():
        key = _uuid(form.after.data)
        sought = Sought(name=form.name.data, everyone=True)
        found = queries.pupils(sought, key=key, backwards=False, fetch=PAGE_SIZE + 1, today=clock.today())
        more = found[PAGE_SIZE - 1].pupil.id if len(found) > PAGE_SIZE else None
    return render_template("pupils/search.html", form=form, found=found[:PAGE_SIZE], more=more)


def _uuid(text: str | None) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        abort(400)


@bp.get("/pupils/<uuid:pupil_id>/details")
@needs("pupils.view")
def details(pupil_id: UUID) -> ResponseReturnValue:
    """Who a pupil is, and every roll they are or were on within scope."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="details")
    history = [(line, name, academic_year_name(line.academic_year)) for line, name in queries.roll_history(pupil_id)]
    return render_template("pupils/details.html", pupil=pupil, history=history)


@bp.get("/pupils/<uuid:pupil_id>/contacts")
@needs("pupils.view_contacts")
def contacts(pupil_id: UUID) -> ResponseReturnValue:
    """Where a pupil lives and who their parents and carers are; hidden addresses never reach the page."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="contacts")
    present = queries.has_present_interest(pupil_id, clock.today())
    home, known = queries.contacts(pupil) if present else (None, [])
    return render_template("pupils/contacts.html", pupil=pupil, home=home, contacts=known)


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
    if parent_id not in {one.parent.id for one in queries.contacts(pupil)[1]}:
        abort(404)
    return render_template("pupils/show_address.html", pupil=pupil, parent_id=parent_id)


def _disclose(pupil_id: UUID, parent_id: UUID, *, do_not_disclose: bool, words: str) -> ResponseReturnValue:
    try:
        actions.change_disclosure(pupil_id, parent_id, do_not_disclose=do_not_disclose)
    except actions.NotInScopeError:
        abort(404)
    flash(words, "success")
    return redirect(url_for("pupils.contacts", pupil_id=pupil_id))


@bp.get("/pupils/<uuid:pupil_id>/characteristics")
@needs("pupils.view_characteristics")
def characteristics(pupil_id: UUID) -> ResponseReturnValue:
    """What may call for support, now and before."""
    pupil = _pupil(pupil_id)
    record_alone(READ, pupil_id, part="characteristics")
    present = queries.has_present_interest(pupil_id, clock.today())
    return render_template(
        "pupils/characteristics.html",
        pupil=pupil,
        present=present,
        rows=queries.characteristics(pupil_id) if present else [],
        names=CHARACTERISTIC_NAMES,
        values=VALUE_NAMES,
        ethnicities=ETHNICITY_NAMES,
    )


@bp.get("/pupils/matches")
@needs("pupils.match")
def matches() -> ResponseReturnValue:
    """Records that may be one child, waiting for a person; and for the authority, pupils on two rolls."""
    whole = scope.current().schools is None
    waiting = [(one, from_kept(one.question.incoming)) for one in queries.waiting_matches()]
    twice = queries.on_two_rolls(clock.today()) if whole else []
    return render_template("pupils/matches.html", waiting=waiting, twice=twice)


@bp.get("/pupils/matches/<uuid:question_id>")
@needs("pupils.match")
def match(question_id: UUID) -> ResponseReturnValue:
    """One held record and one incoming, side by side."""
    found = queries.match_question(question_id)
    if found is None or found.held is None:
        abort(404)
    record_alone(COMPARED, found.held.id, question=question_id)
    history = queries.roll_history(found.held.id)
    incoming = from_kept(found.question.incoming)
    rows = comparison(found.held, history[0] if history else None, incoming, found.school_name)
    return render_template("pupils/match.html", found=found, incoming=incoming, rows=rows)


@bp.post("/pupils/matches/<uuid:question_id>/decide")
@needs("pupils.match")
def decide(question_id: UUID) -> ResponseReturnValue:
    """Settle a match: the same child, or different children."""
    try:
        decision = Decision(request.form.get("decision", ""))
    except ValueError:
        abort(400)
    try:
        actions.decide(question_id, decision)
    except actions.NotInScopeError:
        abort(404)
    except actions.AlreadyDecidedError:
        flash("Somebody else decided this already.")
    else:
        same = decision is Decision.SAME
        flash("The two records are now one." if same else "The pupil was added as a child of their own.", "success")
    return redirect(url_for("pupils.matches"))
