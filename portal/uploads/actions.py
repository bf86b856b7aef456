"""Actions of an upload: receive, check and preview, apply, cancel and revert."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update

from portal.audit.actions import record
from portal.db.bulk import insert_many
from portal.db.work import action, dry_run, tx, unit_of_work
from portal.jobs.outbox import enqueue
from portal.platform import clock
from portal.platform.due import Where, begin, take_step
from portal.platform.refusals import NotFoundError, RefusedError
from portal.pupils.actions.lists import import_pupil_list, open_year
from portal.pupils.queries import names_of
from portal.registers import actions as registers
from portal.registers.queries import lock_school
from portal.rules.calendar import register_year, week_of
from portal.schools.queries import school as school_row
from portal.security import scope
from portal.tabular.rejection import FileRejected
from portal.uploads import queries
from portal.uploads.domain.kinds import KIND_OF_LAYOUT, CheckedMarks, CheckedPupils, CheckedTotals, Kind
from portal.uploads.domain.lifecycle import ONLY_MARKS_REVERTED, UPLOAD, UploadState, UploadStep
from portal.uploads.domain.previews import FileColumns, PupilListPreview
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.sandbox import read_in_child
from portal.uploads.domain.rejected_rows import rejected_rows_csv
from portal.uploads.events import APPLIED, APPLY_REQUESTED, CANCELLED, CHECKED, LOCAL_CODE_SET, MAPPED, RECEIVED, REJECTED, REVERTED
from portal.uploads.models import Finding, LocalCode, RememberedMapping, Upload, UploadContent, UploadProgress
from portal.uploads.views.marks import check_file_of_marks
from portal.uploads.views.pupil_lists import check_pupil_list, pupils_from_marks
from portal.uploads.views.reported_totals import check_totals, store_totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.uploads.domain.checks import SchoolContext
    from portal.uploads.domain.kinds import Checked
    from portal.uploads.domain.preview_lists import PreviewLists
    from portal.uploads.domain.previews import Preview
    from portal.uploads.domain.reading.result import Reading


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
        state=UploadState.RECEIVED,
        file_name=file_name[-200:],  # the end, which has the extension
        sha256=sha256,
        size=len(content),
        received_at=clock.now(),
        received_by=actor.membership_id,
        add_pupils=add_pupils,
    )
    tx().add(upload)
    # The content refers to the upload, so the upload must be inserted first.
    tx().flush()
    tx().add(UploadContent(upload_id=upload.id, school_id=school_id, received=content))
    begin(UPLOAD, upload, _where(upload))
    record(RECEIVED, upload.id, school_id=school_id, kind=kind, sha256=sha256, size=len(content))
    return upload


@action
def check(upload_id: UUID) -> None:
    """Read, check and preview a received file. Does nothing in other states, as a job may run twice."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == UploadState.RECEIVED:
        _check(upload)


def _check(upload: Upload) -> None:
    tx().execute(delete(Finding).where(Finding.upload_id == upload.id))
    reading = _read_or_reject(upload, queries.content_of(upload.id))
    if reading is None:
        return
    # Checking may add pupils to the roll and open academic years. The dry run rolls these back; the findings are stored after it.
    with dry_run():
        checked, preview, lists = _check_and_preview(upload, reading)
    _store_findings(upload, reading, checked, preview)
    _store_lists(upload, lists)
    _take(upload, UploadStep.PREVIEW)
    record(CHECKED, upload.id, rows_in=upload.rows_in, rows_refused=upload.rows_rejected)


def _read_or_reject(upload: Upload, content: bytes) -> Reading | None:
    """Read the file; None if it is rejected or needs a column mapping, with the state set accordingly."""
    try:
        reading = _read(upload, content)
    except FileRejected as rejection:
        upload.rejection, upload.checked_at = rejection.message, clock.now()
        _take(upload, UploadStep.REJECT)
        if rejection.kind in DELETED_KINDS:
            tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(received=b""))
        record(REJECTED, upload.id, reason=rejection.kind)
        return None
    upload.layout, upload.checked_at = reading.layout, clock.now()
    upload.file_columns = FileColumns(reading.columns, reading.fingerprint, reading.missing_meanings)
    if reading.needs_mapping:
        upload.preview = None
        _take(upload, UploadStep.ASK_FOR_MAPPING)
        record(CHECKED, upload.id, rows_in=0, rows_refused=0)
        return None
    return reading


def _read(upload: Upload, content: bytes) -> Reading:
    """Read the file in a child process, with the school's column mapping, and set its kind."""
    # Which mapping fits is known only once the headings are read, so the child is given all and chooses: a second child
    # would parse the whole file again.
    remembered = {} if upload.mapping else queries.remembered_mappings(upload.school_id)
    mappings = ColumnMappings(upload.mapping, remembered)
    reading = read_in_child(content, mappings, progress=_Progress(upload, "Reading rows").show, meanwhile=tx().flush)
    upload.mapping = upload.mapping or dict(remembered.get(reading.fingerprint, {}))
    if reading.layout in KIND_OF_LAYOUT:
        upload.kind = KIND_OF_LAYOUT[reading.layout]
    elif upload.kind == Kind.TOTALS or not reading.people:
        upload.kind = Kind.MARKS
    return reading


def _check_and_preview(upload: Upload, reading: Reading) -> tuple[Checked, Preview, PreviewLists | None]:
    """Check a file as read, and count and list what applying it would change. May add pupils to the roll."""
    if upload.kind == Kind.PUPILS:
        return check_pupil_list(upload.school_id, reading, academic_year=upload.academic_year)
    if upload.kind == Kind.TOTALS:
        return *check_totals(upload.school_id, reading), None
    return check_file_of_marks(upload, reading, _school_for_checks(upload, reading))


def _store_findings(upload: Upload, reading: Reading, checked: Checked, preview: Preview) -> None:
    """Store the preview, the findings and the rejected rows of an upload."""
    upload.preview = preview
    upload.rows_in, upload.rows_stored, upload.rows_rejected = checked.rows_in, checked.rows_stored, checked.rows_rejected
    marks = checked if isinstance(checked, CheckedMarks) else None
    upload.covers_from, upload.covers_until = (marks.first_day, marks.last_day) if marks else (None, None)
    columns = ("kind", "rejected", "sheet", "column", "rows", "value", "sentence", "count")
    rows = [
        (upload.id, upload.school_id, number, *(getattr(finding, column) for column in columns))
        for number, finding in enumerate(checked.findings[:MAX_FINDINGS], start=1)
    ]
    if rows:
        insert_many("finding", ("upload_id", "school_id", "number", *columns), rows)
    rejected_rows = rejected_rows_csv(reading, marks.reason if marks else None) if checked.rows_rejected else None
    tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(rejected_rows=rejected_rows))


def _store_lists(upload: Upload, lists: PreviewLists | None) -> None:
    """Store the lists beside a preview. Pupils whom only the dry run knew are the new ones."""
    if lists and upload.kind == Kind.MARKS:
        lists = lists.without_existing(names_of({pupil.pupil_id for pupil in lists.new_pupils if pupil.pupil_id}))
    tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(preview_lists=lists))


def _school_for_checks(upload: Upload, reading: Reading) -> SchoolContext:
    """The school as the checks need it. With `add_pupils`, the file's new pupils are added to its roll first."""
    for academic_year in sorted({register_year(week_of(day)) for day in reading.dates}):
        open_year(upload.school_id, academic_year)
    if upload.add_pupils:
        school = queries.school_for_checks(upload.school_id, reading.dates)
        for academic_year, incoming in pupils_from_marks(reading, school).items():
            import_pupil_list(upload.school_id, incoming, academic_year=academic_year, upload_id=upload.id)
    return queries.school_for_checks(upload.school_id, reading.dates)


@action
def set_column_mapping(upload_id: UUID, mapping: Mapping[str, str]) -> None:
    """Set the column mapping of this and the school's next files, and check the file again."""
    upload = queries.upload_for_change(upload_id)
    _take(upload, UploadStep.MAP)
    fingerprint = upload.file_columns.fingerprint if upload.file_columns else ""
    tx().execute(
        delete(RememberedMapping).where(
            RememberedMapping.school_id == upload.school_id, RememberedMapping.fingerprint == fingerprint
        )
    )
    tx().add(
        RememberedMapping(school_id=upload.school_id, fingerprint=fingerprint, mapping=dict(mapping), remembered_at=clock.now())
    )
    upload.mapping, upload.preview = dict(mapping), None
    record(MAPPED, upload.id, columns=len(mapping))
    enqueue("uploads.check", upload_id=upload.id, school_id=upload.school_id)


@action
def request_apply(upload_id: UUID) -> None:
    """Enqueue a previewed file to be applied. A second request does nothing more."""
    upload = queries.upload_for_change(upload_id)
    if upload.state in {UploadState.APPLYING, UploadState.APPLIED}:
        record(APPLY_REQUESTED, upload.id)
        return
    _take(upload, UploadStep.REQUEST_APPLY)
    record(APPLY_REQUESTED, upload.id)
    enqueue("uploads.apply", upload_id=upload.id, school_id=upload.school_id)


@action
def apply(upload_id: UUID) -> None:
    """Apply all accepted rows of a file, if requested. Does nothing in other states, as a job may run twice."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == UploadState.APPLYING:
        reading = _read_or_reject(upload, queries.content_of(upload.id))
        if reading is not None:
            _apply(upload, reading)


def _apply(upload: Upload, reading: Reading) -> None:
    """Check the file again and write it."""
    # The roll and the registers may have changed since the preview. The lock keeps them unchanged between check and writing.
    lock_school(upload.school_id)
    tx().execute(delete(Finding).where(Finding.upload_id == upload.id))
    checked, preview, _ = _check_and_preview(upload, reading)
    _store_findings(upload, reading, checked, preview)
    _write(upload, checked)
    upload.applied_at, upload.applied_by = clock.now(), scope.current().actor.membership_id
    _take(upload, UploadStep.APPLY)
    record(APPLIED, upload.id, rows_in=upload.rows_in, rows_stored=upload.rows_stored, rows_refused=upload.rows_rejected)


def _write(upload: Upload, checked: Checked) -> None:
    """Write what a checked file brings, by its kind."""
    if isinstance(checked, CheckedMarks) and checked.pages:
        progress = _Progress(upload, "Writing weeks").show
        rolls = {academic_year: (year.roll, year.calendar) for academic_year, year in checked.years.items()}
        registers.write_pages(upload.school_id, checked.pages, upload_id=upload.id, preloaded=rolls, progress=progress)
        registers.save_notes(upload.school_id, upload.id, checked.notes)
    elif isinstance(checked, CheckedTotals):
        store_totals(upload, checked.totals)
    elif isinstance(checked, CheckedPupils):
        imported = import_pupil_list(upload.school_id, checked.people, academic_year=checked.academic_year, upload_id=upload.id)
        if isinstance(upload.preview, PupilListPreview):
            # `moved_in` is a documented field. A pupil from another school is an added one now, so that it tells nothing.
            upload.preview = replace(upload.preview, imported={**imported.counts(), "moved_in": 0})
        registers.recount(upload.school_id, checked.academic_year)


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
    _take(upload, UploadStep.CANCEL)
    record(CANCELLED, upload.id)


@action
def revert(upload_id: UUID, reason: str) -> None:
    """Revert an applied file of marks. Marks changed since then stay, and so do both versions in the history."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == UploadState.APPLIED and upload.kind != Kind.MARKS:
        raise RefusedError(ONLY_MARKS_REVERTED)
    # Written with the state in one statement: a CHECK constraint allows neither without the other.
    upload.reverted_at, upload.reverted_by, upload.revert_reason = clock.now(), scope.current().actor.membership_id, reason
    _take(upload, UploadStep.REVERT)
    written = registers.revert_pages(upload.school_id, upload.id)
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


def _where(upload: Upload) -> Where:
    """Where an upload stands in the list of what is due."""
    return Where(school_id=upload.school_id, endpoint="uploads.show")


def _take(upload: Upload, step: UploadStep) -> None:
    """Move an upload along a step.

    Raises:
        RefusedError: when its state does not allow the step.
    """
    take_step(UPLOAD, upload, step, _where(upload))


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
