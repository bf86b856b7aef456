"""Actions of an upload: receive, check and preview, apply, cancel and revert."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update

from portal.audit.actions import record
from portal.db.bulk import insert_many
from portal.db.work import action, dry_run, tx, unit_of_work
from portal.jobs.outbox import enqueue
from portal.platform import clock
from portal.platform.refusals import NotFoundError, RefusedError
from portal.pupils.actions import import_pupil_list, open_year
from portal.registers import actions as registers
from portal.registers.domain.pages import merged
from portal.registers.domain.year_register import with_weeks
from portal.registers.queries import current_pages, lock_school, year_register
from portal.rules.calendar import register_year, week_of
from portal.schools.queries import school as school_row
from portal.security import scope
from portal.tabular.rejection import FileRejected
from portal.uploads import queries
from portal.uploads.domain.checks import check_marks
from portal.uploads.domain.preview import completed_weeks, preview_counts
from portal.uploads.domain.reading.sandbox import read_in_child
from portal.uploads.domain.rejected_rows import rejected_rows_csv
from portal.uploads.events import APPLIED, APPLY_REQUESTED, CANCELLED, CHECKED, LOCAL_CODE_SET, MAPPED, RECEIVED, REJECTED, REVERTED
from portal.uploads.models import Finding, LocalCode, RememberedMapping, Upload, UploadContent, UploadProgress
from portal.uploads.views.pupil_lists import check_pupil_list, pupils_from_marks
from portal.uploads.views.reported_totals import check_totals, store_totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.uploads.domain.checks import Checked, SchoolContext
    from portal.uploads.domain.reading.result import Reading


TOTALS = frozenset({"census-xml", "census-csv", "dfe-weekly"})
MAX_FINDINGS = 500
#: Kinds of rejection after which the bytes of a file are deleted. A file that is not a register may hold what was sent by mistake.
DELETED_KINDS = frozenset({"document", "image", "pdf", "program", "virus"})


@action
def receive(school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool = False) -> UUID:
    """Store a file as received and enqueue its check. Both are committed in the same transaction.

    Raises:
        NotFoundError: when the school is not within scope.
    """
    upload = _store_upload(school_id, kind=kind, file_name=file_name, content=content, add_pupils=add_pupils)
    enqueue("uploads.check", upload_id=upload.id, school_id=upload.school_id)
    return upload.id


def _store_upload(school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool) -> Upload:
    if school_row(school_id) is None:
        raise NotFoundError
    sha256, actor = hashlib.sha256(content).hexdigest(), scope.current().actor
    upload = Upload(
        id=uuid4(),
        school_id=school_id,
        kind=kind,
        state="received",
        file_name=file_name[-200:],  # the end, which has the extension
        sha256=sha256,
        size=len(content),
        received_at=clock.now(),
        received_by=actor.membership_id,
        add_pupils=add_pupils,
        preview={},
    )
    tx().add(upload)
    # The content refers to the upload, so the upload must be inserted first.
    tx().flush()
    tx().add(UploadContent(upload_id=upload.id, school_id=school_id, received=content))
    record(RECEIVED, upload.id, school_id=school_id, kind=kind, sha256=sha256, size=len(content))
    return upload


@action
def check(upload_id: UUID) -> None:
    """Read, check and preview a received file. Does nothing in other states, as a job may run twice."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == "received":
        _check(upload)


def _check(upload: Upload) -> None:
    tx().execute(delete(Finding).where(Finding.upload_id == upload.id))
    reading = _read_or_reject(upload, queries.content_of(upload.id))
    if reading is None:
        return
    # Checking may add pupils to the roll and open academic years. The dry run rolls these back; the findings are stored after it.
    with dry_run():
        checked, preview = _check_and_preview(upload, reading)
    _store_findings(upload, reading, checked, preview)
    upload.state = "previewed"
    record(CHECKED, upload.id, rows_in=upload.rows_in, rows_refused=upload.rows_rejected)


def _read_or_reject(upload: Upload, content: bytes) -> Reading | None:
    """Read the file; None if it is rejected or needs a column mapping, with the state set accordingly."""
    try:
        reading = _read(upload, content)
    except FileRejected as rejection:
        upload.state, upload.rejection, upload.checked_at = "rejected", rejection.message, clock.now()
        if rejection.kind in DELETED_KINDS:
            tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(received=b""))
        record(REJECTED, upload.id, reason=rejection.kind)
        return None
    upload.layout, upload.checked_at = reading.layout, clock.now()
    if reading.needs_mapping:
        upload.state = "needs-mapping"
        upload.preview = _column_details(reading)
        record(CHECKED, upload.id, rows_in=0, rows_refused=0)
        return None
    return reading


def _read(upload: Upload, content: bytes) -> Reading:
    """Read the file in a child process, with the school's column mapping, and set its kind."""
    progress = _Progress(upload, "Reading rows").show
    reading = read_in_child(content, mapping=dict(upload.mapping) or None, progress=progress, meanwhile=tx().flush)
    # The headings, and so the mapping, are only known once the file is read: it is then read again.
    remembered = queries.remembered_mapping(upload.school_id, reading.fingerprint)
    if remembered and not upload.mapping:
        upload.mapping = remembered
        reading = read_in_child(content, mapping=remembered, progress=progress)
    if reading.layout == "pupil-list":
        upload.kind = "pupils"
    elif reading.layout in TOTALS:
        upload.kind = "totals"
    elif upload.kind == "totals" or not reading.people:
        upload.kind = "marks"
    return reading


def _check_and_preview(upload: Upload, reading: Reading) -> tuple[Checked, dict[str, object]]:
    """Check a file as read, and count what applying it would change. May add pupils to the roll."""
    if upload.kind == "pupils":
        return check_pupil_list(upload.school_id, reading, academic_year=upload.academic_year)
    if upload.kind == "totals":
        checked = check_totals(upload.school_id, reading)
        return checked, {"totals": checked.rows_stored}
    school = _school_for_checks(upload, reading)
    checked = check_marks(reading, school)
    return checked, _marks_preview(upload, reading, checked, school)


def _store_findings(upload: Upload, reading: Reading, checked: Checked, preview: dict[str, object]) -> None:
    """Store the preview, the findings and the rejected rows of an upload."""
    upload.preview = {**preview, **_column_details(reading)}
    upload.rows_in, upload.rows_stored, upload.rows_rejected = checked.rows_in, checked.rows_stored, checked.rows_rejected
    upload.covers_from, upload.covers_until = checked.first_day, checked.last_day
    columns = ("kind", "rejected", "sheet", "column", "rows", "value", "sentence", "count")
    rows = [
        (upload.id, upload.school_id, number, *(getattr(finding, column) for column in columns))
        for number, finding in enumerate(checked.findings[:MAX_FINDINGS], start=1)
    ]
    if rows:
        insert_many("finding", ("upload_id", "school_id", "number", *columns), rows)
    rejected_rows = rejected_rows_csv(reading, checked) if checked.rows_rejected else None
    tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(rejected_rows=rejected_rows))


def _column_details(reading: Reading) -> dict[str, object]:
    """The columns of the file, their fingerprint, and the meanings no column has. Stored as JSON."""
    columns = [asdict(column) for column in reading.columns]
    return {"columns": columns, "fingerprint": reading.fingerprint, "lacking": list(reading.missing_meanings)}


def _school_for_checks(upload: Upload, reading: Reading) -> SchoolContext:
    """The school as the checks need it. With `add_pupils`, the file's new pupils are added to its roll first."""
    for academic_year in sorted({register_year(week_of(day)) for day in reading.dates}):
        open_year(upload.school_id, academic_year)
    if upload.add_pupils:
        school = queries.school_for_checks(upload.school_id, reading.dates)
        for academic_year, incoming in pupils_from_marks(reading, school).items():
            import_pupil_list(upload.school_id, incoming, academic_year=academic_year, upload_id=upload.id)
    return queries.school_for_checks(upload.school_id, reading.dates)


def _marks_preview(upload: Upload, reading: Reading, checked: Checked, school: SchoolContext) -> dict[str, object]:
    """What applying a file of marks would change, and which weeks it would complete. Stored as JSON."""
    current = current_pages(upload.school_id, sorted(checked.pages))
    counts = preview_counts(checked, {week: page.marks for week, page in current.items()})
    complete: list[date] = []
    for academic_year in sorted({register_year(week) for week in checked.pages}):
        after = {
            week: merged(current[week].marks if week in current else marks[:0], marks)
            for week, marks in checked.pages.items()
            if register_year(week) == academic_year
        }
        year = school.years[academic_year]
        before = year_register(upload.school_id, academic_year, preloaded=(year.roll, year.calendar))
        complete += completed_weeks(before, with_weeks(before, after))
    earlier = queries.same_bytes_before(upload)
    return {
        **counts,
        "complete_weeks": [week.isoformat() for week in complete],
        "title_rows_skipped": reading.title_rows_skipped,
        "totals_rows_skipped": reading.totals_rows_skipped,
        "hidden_sheets": list(reading.hidden_sheets),
        "same_as": str(earlier.id) if earlier else None,
        "same_as_received_at": earlier.received_at.isoformat() if earlier else None,
    }


@action
def set_column_mapping(upload_id: UUID, mapping: Mapping[str, str]) -> None:
    """Set the column mapping of this and the school's next files, and check the file again."""
    upload = queries.upload_for_change(upload_id)
    if upload.state not in {"needs-mapping", "previewed"}:
        raise RefusedError(_state_message(upload))
    fingerprint = str(upload.preview["fingerprint"])
    tx().execute(
        delete(RememberedMapping).where(
            RememberedMapping.school_id == upload.school_id, RememberedMapping.fingerprint == fingerprint
        )
    )
    tx().add(
        RememberedMapping(school_id=upload.school_id, fingerprint=fingerprint, mapping=dict(mapping), remembered_at=clock.now())
    )
    upload.mapping, upload.state = dict(mapping), "received"
    record(MAPPED, upload.id, columns=len(mapping))
    enqueue("uploads.check", upload_id=upload.id, school_id=upload.school_id)


@action
def request_apply(upload_id: UUID) -> None:
    """Enqueue a previewed file to be applied. A second request does nothing more."""
    upload = queries.upload_for_change(upload_id)
    if upload.state in {"applying", "applied"}:
        record(APPLY_REQUESTED, upload.id)
        return
    if upload.state != "previewed":
        raise RefusedError(_state_message(upload))
    upload.state = "applying"
    record(APPLY_REQUESTED, upload.id)
    enqueue("uploads.apply", upload_id=upload.id, school_id=upload.school_id)


@action
def apply(upload_id: UUID) -> None:
    """Apply all accepted rows of a file, if requested. Does nothing in other states, as a job may run twice."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == "applying":
        reading = _read_or_reject(upload, queries.content_of(upload.id))
        if reading is not None:
            _apply(upload, reading)


def _apply(upload: Upload, reading: Reading) -> None:
    """Check the file again and write it."""
    # The roll and the registers may have changed since the preview. The lock keeps them unchanged between check and writing.
    lock_school(upload.school_id)
    tx().execute(delete(Finding).where(Finding.upload_id == upload.id))
    checked, preview = _check_and_preview(upload, reading)
    _store_findings(upload, reading, checked, preview)
    if upload.kind == "marks" and checked.pages:
        progress = _Progress(upload, "Writing weeks").show
        rolls = {academic_year: (year.roll, year.calendar) for academic_year, year in checked.years.items()}
        registers.write_pages(upload.school_id, checked.pages, upload_id=upload.id, preloaded=rolls, progress=progress)
        registers.save_notes(upload.school_id, upload.id, checked.notes)
    elif upload.kind == "totals":
        store_totals(upload, reading)
    elif upload.kind == "pupils":
        imported = import_pupil_list(upload.school_id, checked.people, academic_year=checked.academic_year, upload_id=upload.id)
        upload.preview = {**upload.preview, "taken": imported.counts()}
        registers.recount(upload.school_id, checked.academic_year)
    upload.state, upload.applied_at, upload.applied_by = "applied", clock.now(), scope.current().actor.membership_id
    record(APPLIED, upload.id, rows_in=upload.rows_in, rows_stored=upload.rows_stored, rows_refused=upload.rows_rejected)


@action
def import_file(
    school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool = False, academic_year: int | None = None
) -> UUID:
    """Receive, check and apply a file in one transaction.

    `academic_year` is the year of a pupil list. Without it, the year is found from the pupils' ages.
    """
    upload = _store_upload(school_id, kind=kind, file_name=file_name, content=content, add_pupils=add_pupils)
    upload.academic_year = academic_year
    reading = _read_or_reject(upload, content)
    if reading is not None:
        _apply(upload, reading)
    return upload.id


@action
def preview(school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool = False) -> UUID:
    """Receive, check and preview a file in one transaction, without applying it."""
    upload = _store_upload(school_id, kind=kind, file_name=file_name, content=content, add_pupils=add_pupils)
    _check(upload)
    return upload.id


@action
def cancel(upload_id: UUID) -> None:
    """Cancel an upload before it is applied. Its history stays."""
    upload = queries.upload_for_change(upload_id)
    if upload.state not in {"received", "needs-mapping", "previewed"}:
        raise RefusedError(_state_message(upload))
    upload.state = "cancelled"
    record(CANCELLED, upload.id)


@action
def revert(upload_id: UUID, reason: str) -> None:
    """Revert an applied file of marks. Marks changed since then stay, and so do both versions in the history."""
    upload = queries.upload_for_change(upload_id)
    if upload.state != "applied" or upload.kind != "marks":
        raise RefusedError(_state_message(upload))
    written = registers.revert_pages(upload.school_id, upload.id)
    upload.state, upload.reverted_at = "reverted", clock.now()
    upload.reverted_by, upload.revert_reason = scope.current().actor.membership_id, reason
    record(REVERTED, upload.id, weeks=written.weeks)


@action
def set_local_code(school_id: UUID, mark: str, letters: str) -> None:
    """Set the statutory code of a school's own mark, for files from now on. Stored marks do not change."""
    mark = mark.strip().upper()
    tx().execute(delete(LocalCode).where(LocalCode.school_id == school_id, LocalCode.mark == mark))
    tx().add(LocalCode(school_id=school_id, mark=mark, letters=letters))
    record(LOCAL_CODE_SET, school_id, mark=mark, letters=letters)


@action
def delete_local_code(mark_id: UUID) -> UUID | None:
    """Delete the code of a school's own mark. Returns the school, or None if it is not within scope."""
    local_code = tx().scalar(select(LocalCode).where(LocalCode.id == mark_id))
    if local_code is None:
        return None
    tx().delete(local_code)
    record(LOCAL_CODE_SET, local_code.school_id, mark=local_code.mark, letters=None)
    return local_code.school_id


def _state_message(upload: Upload) -> str:
    """Why the state of the upload does not allow an action, as a sentence for the person."""
    return {
        "received": "This file is still being checked. Wait until the check has finished.",
        "needs-mapping": "Match the file's columns first.",
        "applying": "This file is being applied.",
        "applied": "This file was applied. Only a file of marks can be undone."
        if upload.kind != "marks"
        else "This file was already applied.",
        "rejected": "This file could not be read. Send another.",
        "cancelled": "This upload was cancelled. Send the file again to use it.",
        "reverted": "This upload was undone. Send the file again to use it.",
    }.get(upload.state, "This can't be done with the file as it stands.")


class _Progress:
    """Stores how far the work has come. At most four times a second, as each time is a commit."""

    EVERY = timedelta(milliseconds=250)

    def __init__(self, upload: Upload, step: str) -> None:
        self.upload_id, self.school_id, self.step = upload.id, upload.school_id, step
        self.shown_at = clock.now()

    def show(self, done: int, total: int = 0) -> None:
        if clock.now() - self.shown_at < self.EVERY:
            return
        self.shown_at = clock.now()
        self._store(done, total)

    def _store(self, done: int, total: int) -> None:
        """Store progress and commit it at once."""
        # On a connection of its own: in the transaction of the work it would not be visible before the work is committed.
        with unit_of_work(scope.current()) as session:
            session.merge(
                UploadProgress(
                    authority_id=scope.current().authority_id,
                    upload_id=self.upload_id,
                    school_id=self.school_id,
                    step=self.step,
                    done=done,
                    total=total,
                    at=clock.now(),
                )
            )
            session.commit()
