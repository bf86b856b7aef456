"""Pages of uploads: send, map columns, preview, apply and revert; registers received; own marks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for

from portal.audit.actions import record_alone
from portal.platform import clock
from portal.platform.lifecycle import Owner
from portal.platform.refusals import must_exist
from portal.registers.queries import waits_for_recount
from portal.rules.calendar import academic_year, academic_year_span
from portal.schools.queries import phase_names, school, schools
from portal.security import scope
from portal.security.permissions import can, needs
from portal.uploads import actions, queries
from portal.uploads.domain.kinds import KIND_WORDS
from portal.uploads.domain.lifecycle import UPLOAD, UploadState, UploadStep
from portal.uploads.domain.preview_lists import MOST_CHANGES
from portal.uploads.events import CHANGES_READ
from portal.uploads.forms import RevertUpload, SendFile, SetLocalCode
from portal.uploads.views import preview_lists
from portal.uploads.views.upload_page import columns_form, missing_meanings, steps, template, upload_context
from portal.web.downloads import attachment, file_name
from portal.web.fields import choices
from portal.web.forms import flashing_refusals
from portal.web.paging import WHOLE_LIST_SIZE, paginate, position_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from portal.schools.models import School
    from portal.uploads.models import Upload

bp = Blueprint("uploads", __name__, template_folder="templates")

#: More school days behind than this is late. A school that sends once a week is on time.
LATE_AFTER = 5


def _upload(upload_id: UUID) -> Upload:
    return must_exist(queries.upload(upload_id))


@bp.get("/uploads")
@needs("uploads.view")
def index() -> ResponseReturnValue:
    """List uploads within scope, newest first, a page at a time."""
    page = queries.uploads(position_in(request.args))
    return render_template(
        "uploads/index.html",
        page=page,
        waiting=[(row, name) for row, name in page.items if UPLOAD.state(row.state).owner is Owner.SCHOOL],
        lifecycle=UPLOAD,
        kind_words=KIND_WORDS,
    )


@bp.route("/uploads/new", methods=["GET", "POST"])
@needs("uploads.send")
def new() -> ResponseReturnValue:
    """Send a file."""
    form = SendFile()
    options = [(str(school.id), school.name) for school in schools()]
    form.school.choices = choices(options if len(options) == 1 else [("", "Choose a school"), *options])
    if form.validate_on_submit():
        content = form.file.data.read()
        upload_id = actions.receive(
            UUID(form.school.data),
            kind=form.kind.data,
            file_name=form.file.data.filename or "no name",
            content=content,
            add_pupils=form.add_pupils.data == "yes",
        )
        return redirect(url_for("uploads.show", upload_id=upload_id))
    return render_template("uploads/new.html", form=form)


@bp.get("/uploads/<uuid:upload_id>")
@needs("uploads.view")
def show(upload_id: UUID) -> ResponseReturnValue:
    """Show an upload: its progress, its preview or its outcome."""
    upload = _upload(upload_id)
    if upload.state == UploadState.NEEDS_MAPPING and _can("uploads.send"):
        return redirect(url_for("uploads.columns", upload_id=upload_id))
    return render_template(template(upload), **upload_context(upload, _can))


@bp.get("/uploads/<uuid:upload_id>/changes")
@needs("uploads.view")
def changes(upload_id: UUID) -> ResponseReturnValue:
    """Each mark that a file changes, by pupil, a page at a time."""
    upload = _upload(upload_id)
    page = preview_lists.changes(upload_id, position_in(request.args, int))
    record_alone(CHANGES_READ, upload_id, part="changes")
    return render_template(
        "uploads/changes.html", upload=upload, school=school(upload.school_id), page=page, most_changes=MOST_CHANGES
    )


@bp.get("/uploads/<uuid:upload_id>/pupils-not-in-file")
@needs("uploads.view")
def not_in_file(upload_id: UUID) -> ResponseReturnValue:
    """The pupils on roll who are not in a file, a page at a time."""
    upload = _upload(upload_id)
    page = preview_lists.not_in_file(upload_id, position_in(request.args))
    record_alone(CHANGES_READ, upload_id, part="not in file")
    return render_template("uploads/not_in_file.html", upload=upload, school=school(upload.school_id), page=page)


def _can(permission: str) -> bool:
    return can(scope.current().actor, permission)


@bp.route("/uploads/<uuid:upload_id>/columns", methods=["GET", "POST"])
@needs("uploads.send")
def columns(upload_id: UUID) -> ResponseReturnValue:
    """Set the column mapping, which the school's next files with these headings use too."""
    upload = _upload(upload_id)
    form = columns_form(upload)
    if form.validate_on_submit():
        with flashing_refusals():
            actions.set_column_mapping(upload_id, form.mapping())
        return redirect(url_for("uploads.show", upload_id=upload_id))
    cancel = [step for step in steps(upload, _can) if step.name == UploadStep.CANCEL]
    return render_template("uploads/columns.html", upload=upload, form=form, lacking=missing_meanings(upload), steps=cancel)


@bp.post("/uploads/<uuid:upload_id>/apply")
@needs("uploads.apply")
def apply(upload_id: UUID) -> ResponseReturnValue:
    """Apply a previewed file."""
    _upload(upload_id)
    return _then_show(upload_id, lambda: actions.request_apply(upload_id))


@bp.post("/uploads/<uuid:upload_id>/withdraw")
@needs("uploads.send")
def withdraw(upload_id: UUID) -> ResponseReturnValue:
    """Cancel an upload before it is applied."""
    _upload(upload_id)
    return _then_show(upload_id, lambda: actions.cancel(upload_id))


@bp.route("/uploads/<uuid:upload_id>/undo", methods=["GET", "POST"])
@needs("uploads.undo")
def undo(upload_id: UUID) -> ResponseReturnValue:
    """Revert an applied upload, with a reason."""
    upload, form = _upload(upload_id), RevertUpload()
    if form.validate_on_submit():
        reason = form.reason.data
        return _then_show(upload_id, lambda: actions.revert(upload_id, reason))
    return render_template("uploads/undo.html", upload=upload, form=form, school=school(upload.school_id))


def _then_show(upload_id: UUID, act: Callable[[], object]) -> ResponseReturnValue:
    """Run an action and show the upload, with a message if its state does not allow the action."""
    with flashing_refusals():
        act()
    return redirect(url_for("uploads.show", upload_id=upload_id))


@bp.get("/uploads/<uuid:upload_id>/refused-rows")
@needs("uploads.send")
def refused_rows(upload_id: UUID) -> ResponseReturnValue:
    """Download the rejected rows, to correct and send again."""
    upload = _upload(upload_id)
    content = must_exist(queries.rejected_rows_of(upload_id))
    name = file_name(f"refused rows {upload.received_at:%Y-%m-%d}", "csv")
    return attachment(name, content, "text/csv; charset=utf-8")


@bp.get("/uploads/board")
@needs("uploads.board")
def board() -> ResponseReturnValue:
    """Show the registers received by school: schools with none first, then those furthest behind."""
    first = academic_year_span(academic_year(clock.today())).first_day
    rows = sorted(queries.registers_received(first), key=lambda row: (row.last_day is not None, -row.school_days_behind))
    page = paginate(rows, position_in(request.args, size=WHOLE_LIST_SIZE), lambda row: row.school_id)
    return render_template(
        "uploads/board.html",
        rows=rows,
        page=page,
        since=first,
        phases=phase_names(),
        late_after=LATE_AFTER,
        recounting=waits_for_recount(first.year),
    )


@bp.route("/uploads/own-marks", methods=["GET", "POST"])
@needs("uploads.send")
def own_marks() -> ResponseReturnValue:
    """Show and set a school's own marks, and the codes they stand for."""
    options = () if request.args.get("school") else schools()
    selected_school = options[0] if len(options) == 1 else _school_in_address()
    form = SetLocalCode()
    if selected_school is not None and form.validate_on_submit():
        with form.showing_refusals():
            actions.set_local_code(selected_school.id, form.mark.data or "", form.letters.data or "")
            return redirect(url_for("uploads.own_marks", school=selected_school.id))
    marks = queries.local_codes(selected_school.id) if selected_school else ()
    return render_template("uploads/own_marks.html", form=form, school=selected_school, schools=options, marks=marks)


def _school_in_address() -> School | None:
    """The school the address names; None where it names none."""
    if not request.args.get("school"):
        return None
    school_id = request.args.get("school", type=UUID)
    return must_exist(school(school_id) if school_id else None)


@bp.post("/uploads/own-marks/<uuid:mark_id>/remove")
@needs("uploads.send")
def remove_own_mark(mark_id: UUID) -> ResponseReturnValue:
    """Stop reading a school's own mark as a code."""
    school_id = must_exist(actions.delete_local_code(mark_id))
    return redirect(url_for("uploads.own_marks", school=school_id))
