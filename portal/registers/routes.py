"""Where registers live: a pupil's certificate of attendance, as a page and as a PDF."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, render_template, request

from portal import clock
from portal.accounts.queries import names_of_memberships
from portal.audit.actions import record_alone
from portal.audit.events import event
from portal.permissions import needs
from portal.pupils.queries import lines_of_pupil, pupil
from portal.registers import papers, queries
from portal.registers.certificates import amendments, certificate
from portal.rules.calendar import academic_year_name
from portal.schools.queries import school
from portal.web.downloads import attachment, file_name

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.pupils.models import RollLine

bp = Blueprint("registers", __name__, template_folder="templates")

OPENED = event("register.opened", "A pupil's certificate of attendance was read", "academic_year", "as_at", "form")


def _line(pupil_id: UUID) -> tuple[RollLine, list[RollLine]]:
    """The roll line asked for, or the newest; and all of them within scope. None of them: the page is not there."""
    lines = sorted(lines_of_pupil(pupil_id), key=lambda one: (one.academic_year, one.on_roll_from), reverse=True)
    asked = request.args.get("line")
    chosen = next((one for one in lines if asked in {None, str(one.id)}), None)
    if chosen is None:
        abort(404)
    return chosen, lines


def _as_at() -> date | None:
    """The past day the page is to stand at; three boxes or one, nothing for today."""
    asked = request.args.get("as-at", "").strip()
    if not asked:
        return None
    try:
        found = date.fromisoformat(asked)
    except ValueError:
        abort(400)
    return found if found < clock.today() else None


def _contents(pupil_id: UUID, form: str) -> dict[str, Any]:
    line, lines = _line(pupil_id)
    as_at = _as_at()
    found = certificate(line.school_id, pupil_id, line.academic_year, as_at=as_at)
    if found is None:
        abort(404)
    record_alone(OPENED, pupil_id, academic_year=line.academic_year, as_at=as_at, form=form)
    return {
        "pupil": pupil(pupil_id),
        "line": line,
        "lines": [(one, school(one.school_id), academic_year_name(one.academic_year)) for one in lines],
        "school": school(line.school_id),
        "found": found,
        "as_at": as_at,
    }


@bp.get("/pupils/<uuid:pupil_id>")
@needs("registers.view")
def show(pupil_id: UUID) -> ResponseReturnValue:
    """The certificate of attendance, with number, length and frequency, patterns, explanations and every correction."""
    contents = _contents(pupil_id, "page")
    line = contents["line"]
    changed = amendments(line.school_id, pupil_id, line.academic_year)
    return render_template(
        "registers/certificate.html",
        **contents,
        today=clock.today(),
        amendments=changed,
        senders=names_of_memberships({one.membership_id for one in changed if one.membership_id}),
        notes=[one for one in queries.notes_of(pupil_id) if one.school_id == line.school_id],
        week_columns=[{"text": f"{week.day} {week:%b}"} for week in contents["found"].weeks],
        spells=tuple(reversed(contents["found"].spells.spells)),
    )


@bp.get("/pupils/<uuid:pupil_id>/certificate.pdf")
@needs("registers.view")
def pdf(pupil_id: UUID) -> ResponseReturnValue:
    """The certificate on one sheet, as a tagged PDF. Its file name names nobody."""
    made = papers.certificate_pdf(**{name: value for name, value in _contents(pupil_id, "pdf").items() if name != "lines"})
    return attachment(file_name(f"certificate of attendance {clock.today():%Y-%m-%d}", "pdf"), made, "application/pdf")
