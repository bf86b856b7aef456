"""Pages of registers: a pupil's certificate of attendance, on screen and as a PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request

from portal.accounts.queries.people import names_of_memberships
from portal.audit.actions import record_alone
from portal.platform import clock
from portal.platform.refusals import must_exist
from portal.pupils.queries import pupil
from portal.pupils.views.children import lines_of_child
from portal.registers import queries
from portal.registers.events import OPENED
from portal.registers.forms import RecordFilters
from portal.registers.views import certificate_pdf
from portal.registers.views.certificates import amendments, certificate
from portal.rules.calendar import academic_year_name
from portal.rules.date_words import short_date_without_year
from portal.schools.queries import school
from portal.security.permissions import needs
from portal.web.downloads import attachment, file_name

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

    from portal.pupils.models import RollLine

bp = Blueprint("registers", __name__, template_folder="templates")


def _line(pupil_id: UUID) -> tuple[RollLine, list[RollLine]]:
    """The requested roll line, or this record's newest; and all lines of the child in scope. 404 where there is none."""
    lines = sorted(lines_of_child(pupil_id), key=lambda line: (line.academic_year, line.on_roll_from), reverse=True)
    requested_id = request.args.get("line")
    requested = (line for line in lines if requested_id == str(line.id) or (not requested_id and line.pupil_id == pupil_id))
    return must_exist(next(requested, None)), lines


def _contents(pupil_id: UUID, form: str) -> dict[str, Any]:
    """What the certificate shows. A line of the child's record at another school is that record's, which is opened instead."""
    line, lines = _line(pupil_id)
    filters = RecordFilters(request.args, [(option.id, _line_name(option)) for option in lines], line.id).check()
    as_at = filters.past_day(clock.today())
    pupil_id = line.pupil_id
    pupil_certificate = must_exist(certificate(line.school_id, pupil_id, line.academic_year, as_at=as_at))
    record_alone(OPENED, pupil_id, academic_year=line.academic_year, as_at=as_at, form=form)
    return {
        "pupil": pupil(pupil_id),
        "line": line,
        "filters": filters,
        "school": school(line.school_id),
        "record": pupil_certificate,
        "as_at": as_at,
    }


def _line_name(line: RollLine) -> str:
    """A roll line as the filter offers it: its year and school."""
    return f"{academic_year_name(line.academic_year)}, {must_exist(school(line.school_id)).name}"


@bp.get("/pupils/<uuid:pupil_id>")
@needs("registers.view")
def show(pupil_id: UUID) -> ResponseReturnValue:
    """The certificate of attendance, with patterns, explanations and every correction."""
    contents = _contents(pupil_id, "page")
    line = contents["line"]
    corrections = amendments(line.school_id, line.pupil_id, line.academic_year)
    return render_template(
        "registers/certificate.html",
        **contents,
        today=clock.today(),
        amendments=corrections,
        senders=names_of_memberships({correction.membership_id for correction in corrections if correction.membership_id}),
        notes=queries.notes_of(line.pupil_id),
        week_columns=[{"text": short_date_without_year(week)} for week in contents["record"].weeks],
        absence_periods=tuple(reversed(contents["record"].absence_periods.spells)),
    )


@bp.get("/pupils/<uuid:pupil_id>/certificate.pdf")
@needs("registers.view")
def pdf(pupil_id: UUID) -> ResponseReturnValue:
    """The certificate as a tagged PDF of one sheet. Its file name names no pupil."""
    contents = _contents(pupil_id, "pdf")
    document = certificate_pdf.certificate_pdf(
        pupil=contents["pupil"],
        line=contents["line"],
        school=contents["school"],
        certificate=contents["record"],
        as_at=contents["as_at"],
    )
    return attachment(file_name(f"certificate of attendance {clock.today():%Y-%m-%d}", "pdf"), document, "application/pdf")
