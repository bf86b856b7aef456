"""The life of an upload: received, read, checked, rehearsed, applied wholly or not at all, undone."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.exc import NoResultFound

from portal import clock, scope
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, rehearsing, tx, unit_of_work
from portal.loading import load
from portal.pupils.actions import open_year, take_list
from portal.registers import actions as registers
from portal.registers.pages import merged
from portal.registers.queries import current_pages, lock_school, sheet
from portal.registers.sheets import with_weeks
from portal.rules.calendar import register_year, week_of
from portal.schools.queries import school as school_row
from portal.uploads import queries
from portal.uploads.checks import marks_checked
from portal.uploads.models import Finding, LocalCode, RememberedMapping, Upload, UploadContent, UploadProgress
from portal.uploads.people import people_checked, pupils_from_marks
from portal.uploads.reading import FileRefused, Reading, read_in_child
from portal.uploads.refused import refused_csv
from portal.uploads.rehearsal import completed_weeks, rehearsed
from portal.uploads.totals import keep_totals, totals_checked
from workers.queue import later

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.uploads.checks import Checked, School

RECEIVED = event("upload.received", "A file was received", "school_id", "kind", "sha256", "size")
CHECKED = event("upload.checked", "A file was read and rehearsed", "rows_in", "rows_refused")
REFUSED = event("upload.refused", "A file was refused whole", "reason")
MAPPED = event("upload.mapped", "Someone said what a file's columns mean", "columns")
APPLYING = event("upload.apply_asked", "Someone asked for a file to be applied")
APPLIED = event("upload.applied", "A file was applied", "rows_in", "rows_stored", "rows_refused")
WITHDRAWN = event("upload.withdrawn", "A file was withdrawn before it was applied")
OWN_MARK = event("upload.own_mark", "A school said what its own mark stands for", "mark", "letters")
UNDONE = event("upload.undone", "A file that was applied was undone", "weeks")

TOTALS = frozenset({"census-xml", "census-csv", "dfe-weekly"})
MOST_FINDINGS = 500
#: Kinds of refusal after which a file's bytes are not kept: what is no register may hold what nobody meant to send.
NOT_KEPT = frozenset({"document", "image", "pdf", "program", "virus"})


class NotNowError(RuntimeError):
    """The upload is not in a state in which this can be done; the message says so to the person."""


@action
def receive(school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool = False) -> UUID:
    """Keep a file as received and promise its check. When this returns, the bytes and the promise are committed.

    Raises:
        NoResultFound: when the school is not within scope.
    """
    upload = _keep(school_id, kind=kind, file_name=file_name, content=content, add_pupils=add_pupils)
    later("uploads.check", upload_id=upload.id, school_id=upload.school_id)
    return upload.id


def _keep(school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool) -> Upload:
    if school_row(school_id) is None:
        raise NoResultFound
    sha256, actor = hashlib.sha256(content).hexdigest(), scope.current().actor
    upload = Upload(
        id=uuid4(),
        school_id=school_id,
        kind=kind,
        state="received",
        file_name=file_name[-200:],
        sha256=sha256,
        size=len(content),
        received_at=clock.now(),
        received_by=actor.membership_id,
        add_pupils=add_pupils,
        rehearsal={},
    )
    tx().add(upload)
    tx().flush()
    tx().add(UploadContent(upload_id=upload.id, received=content))
    record(RECEIVED, upload.id, school_id=school_id, kind=kind, sha256=sha256, size=len(content))
    return upload


@action
def check(upload_id: UUID) -> None:
    """Read a file in a child process, check it, and rehearse it. Changes no register. Once: a second run does nothing."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == "received":
        _check(upload)


def _check(upload: Upload) -> None:
    tx().execute(delete(Finding).where(Finding.upload_id == upload.id))
    reading = _readable(upload, queries.content_of(upload.id))
    if reading is None:
        return
    with rehearsing():
        checked, rehearsal = _examined(upload, reading)
    _keep_findings(upload, reading, checked, rehearsal)
    upload.state = "rehearsed"
    record(CHECKED, upload.id, rows_in=upload.rows_in, rows_refused=upload.rows_refused)


def _readable(upload: Upload, content: bytes) -> Reading | None:
    """The file as read; None when it is refused whole, or a person must say what its columns mean: the upload says which."""
    try:
        reading = _read(upload, content)
    except FileRefused as refusal:
        upload.state, upload.refusal, upload.checked_at = "refused", refusal.message, clock.now()
        if refusal.kind in NOT_KEPT:
            tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(received=b""))
        record(REFUSED, upload.id, reason=refusal.kind)
        return None
    upload.layout, upload.checked_at = reading.layout, clock.now()
    if reading.needs_mapping:
        upload.state = "needs-mapping"
        upload.rehearsal = _headings_of(reading)
        record(CHECKED, upload.id, rows_in=0, rows_refused=0)
        return None
    return reading


def _read(upload: Upload, content: bytes) -> Reading:
    show = _Progress(upload.id, "Reading rows")
    reading = read_in_child(content, mapping=dict(upload.mapping) or None, progress=show.counted, meanwhile=tx().flush)
    remembered = queries.remembered_mapping(upload.school_id, reading.fingerprint)
    if remembered and not upload.mapping:
        upload.mapping = remembered
        reading = read_in_child(content, mapping=remembered, progress=show.counted)
    if reading.layout == "pupil-list":
        upload.kind = "pupils"
    elif reading.layout in TOTALS:
        upload.kind = "totals"
    elif upload.kind == "totals" or not reading.people:
        upload.kind = "marks"
    return reading


def _examined(upload: Upload, reading: Reading) -> tuple[Checked, dict[str, object]]:
    """Check what was read, and say what applying it would do. Pupils a file may add are on the roll when this returns."""
    if upload.kind == "pupils":
        return people_checked(upload.school_id, reading, academic_year=upload.academic_year)
    if upload.kind == "totals":
        checked = totals_checked(upload.school_id, reading)
        return checked, {"totals": checked.rows_stored}
    school = _school(upload, reading)
    checked = marks_checked(reading, school)
    return checked, _rehearsal_of_marks(upload, reading, checked, school)


def _keep_findings(upload: Upload, reading: Reading, checked: Checked, rehearsal: dict[str, object]) -> None:
    """Keep the rehearsal, the findings and the refused rows with the upload."""
    upload.rehearsal = {**rehearsal, **_headings_of(reading)}
    upload.rows_in, upload.rows_stored, upload.rows_refused = checked.rows_in, checked.rows_stored, checked.rows_refused
    upload.covers_from, upload.covers_until = checked.first_day, checked.last_day
    rows = [
        (upload.id, n, one.kind, one.refused, one.sheet, one.column, one.rows, one.value, one.sentence, one.count)
        for n, one in enumerate(checked.findings[:MOST_FINDINGS], start=1)
    ]
    names = ("upload_id", "number", "kind", "refused", "sheet", "column", "rows", "value", "sentence", "count")
    if rows:
        load("finding", names, rows)
    refused = refused_csv(reading, checked) if checked.rows_refused else None
    tx().execute(update(UploadContent).where(UploadContent.upload_id == upload.id).values(refused_rows=refused))


def _headings_of(reading: Reading) -> dict[str, object]:
    """The file's columns, what they are remembered by, and the meanings none of them has."""
    columns = [asdict(column) for column in reading.columns]
    return {"columns": columns, "fingerprint": reading.fingerprint, "lacking": list(reading.lacking)}


def _school(upload: Upload, reading: Reading) -> School:
    """The school as the checks see it; with `add_pupils`, after the file's own pupils have joined the roll (not yet committed)."""
    for academic_year in sorted({register_year(week_of(day)) for day in reading.dates}):
        open_year(upload.school_id, academic_year)
    if upload.add_pupils:
        school = queries.school_for_checks(upload.school_id, reading.dates)
        for academic_year, incoming in pupils_from_marks(reading, school).items():
            take_list(upload.school_id, incoming, academic_year=academic_year, upload_id=upload.id)
    return queries.school_for_checks(upload.school_id, reading.dates)


def _rehearsal_of_marks(upload: Upload, reading: Reading, checked: Checked, school: School) -> dict[str, object]:
    held = current_pages(upload.school_id, sorted(checked.pages))
    told = rehearsed(checked, {week: page.marks for week, page in held.items()})
    complete: list[date] = []
    for academic_year in sorted({register_year(week) for week in checked.pages}):
        arriving = {
            week: merged(held[week].marks if week in held else marks[:0], marks)
            for week, marks in checked.pages.items()
            if register_year(week) == academic_year
        }
        known = school.years[academic_year]
        before = sheet(upload.school_id, academic_year, known=(known.roll, known.calendar))
        complete += completed_weeks(before, with_weeks(before, arriving))
    earlier = queries.same_bytes_before(upload)
    return {
        **told,
        "complete_weeks": [week.isoformat() for week in complete],
        "title_rows_skipped": reading.title_rows_skipped,
        "totals_rows_skipped": reading.totals_rows_skipped,
        "hidden_sheets": list(reading.hidden_sheets),
        "same_as": str(earlier.id) if earlier else None,
        "same_as_received_at": earlier.received_at.isoformat() if earlier else None,
    }


@action
def say_what_columns_mean(upload_id: UUID, mapping: Mapping[str, str]) -> None:
    """Take a person's word for what the columns mean, remember it for this school, and check again."""
    upload = queries.upload_for_change(upload_id)
    if upload.state not in {"needs-mapping", "rehearsed"}:
        raise NotNowError(_not_now(upload))
    fingerprint = str(upload.rehearsal["fingerprint"])
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
    later("uploads.check", upload_id=upload.id, school_id=upload.school_id)


@action
def ask_to_apply(upload_id: UUID) -> None:
    """Promise that a rehearsed file will be applied. Pressing twice promises once."""
    upload = queries.upload_for_change(upload_id)
    if upload.state in {"applying", "applied"}:
        record(APPLYING, upload.id)
        return
    if upload.state != "rehearsed":
        raise NotNowError(_not_now(upload))
    upload.state = "applying"
    record(APPLYING, upload.id)
    later("uploads.apply", upload_id=upload.id, school_id=upload.school_id)


@action
def apply(upload_id: UUID) -> None:
    """Apply a file that was asked for: all of its good rows or none, exactly once, checked again as it is applied."""
    upload = queries.upload_for_change(upload_id)
    if upload.state == "applying":
        reading = _readable(upload, queries.content_of(upload.id))
        if reading is not None:
            _apply(upload, reading)


def _apply(upload: Upload, reading: Reading) -> None:
    """Check once more, now that the school is locked, and write."""
    lock_school(upload.school_id)
    tx().execute(delete(Finding).where(Finding.upload_id == upload.id))
    checked, rehearsal = _examined(upload, reading)
    _keep_findings(upload, reading, checked, rehearsal)
    if upload.kind == "marks" and checked.pages:
        show = _Progress(upload.id, "Writing weeks")
        known = {year: (one.roll, one.calendar) for year, one in checked.years.items()}
        registers.write_pages(upload.school_id, checked.pages, upload_id=upload.id, known=known, progress=show.of)
        registers.keep_notes(upload.school_id, upload.id, checked.notes)
    elif upload.kind == "totals":
        keep_totals(upload, reading)
    elif upload.kind == "pupils":
        taken = take_list(upload.school_id, checked.people, academic_year=checked.academic_year, upload_id=upload.id)
        upload.rehearsal = {**upload.rehearsal, "taken": taken.counts()}
        registers.recount(upload.school_id, checked.academic_year)
    upload.state, upload.applied_at, upload.applied_by = "applied", clock.now(), scope.current().actor.membership_id
    record(APPLIED, upload.id, rows_in=upload.rows_in, rows_stored=upload.rows_stored, rows_refused=upload.rows_refused)


@action
def take(
    school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool = False, academic_year: int | None = None
) -> UUID:
    """Receive, check and apply in one transaction, each once: for the command line and for feeds, which rehearse by asking first.

    `academic_year` says which year's roll a pupil list is; found from the pupils' ages when left out.
    """
    upload = _keep(school_id, kind=kind, file_name=file_name, content=content, add_pupils=add_pupils)
    upload.academic_year = academic_year
    reading = _readable(upload, content)
    if reading is not None:
        _apply(upload, reading)
    return upload.id


@action
def rehearse(school_id: UUID, *, kind: str, file_name: str, content: bytes, add_pupils: bool = False) -> UUID:
    """Receive and check in one transaction, and apply nothing."""
    upload = _keep(school_id, kind=kind, file_name=file_name, content=content, add_pupils=add_pupils)
    _check(upload)
    return upload.id


@action
def withdraw(upload_id: UUID) -> None:
    """Put a file aside before it is applied. Its history stays."""
    upload = queries.upload_for_change(upload_id)
    if upload.state not in {"received", "needs-mapping", "rehearsed"}:
        raise NotNowError(_not_now(upload))
    upload.state = "withdrawn"
    record(WITHDRAWN, upload.id)


@action
def undo(upload_id: UUID, reason: str) -> None:
    """Take the whole upload back: the registers say what they said before it, and both stay in the history."""
    upload = queries.upload_for_change(upload_id)
    if upload.state != "applied" or upload.kind != "marks":
        raise NotNowError(_not_now(upload))
    written = registers.take_back(upload.school_id, upload.id)
    upload.state, upload.undone_at = "undone", clock.now()
    upload.undone_by, upload.undo_reason = scope.current().actor.membership_id, reason
    record(UNDONE, upload.id, weeks=written.weeks)


@action
def map_own_mark(school_id: UUID, mark: str, letters: str) -> None:
    """Read a school's own mark as a statutory code from now on. Marks already on a page stay as they are."""
    mark = mark.strip().upper()
    tx().execute(delete(LocalCode).where(LocalCode.school_id == school_id, LocalCode.mark == mark))
    tx().add(LocalCode(school_id=school_id, mark=mark, letters=letters))
    record(OWN_MARK, school_id, mark=mark, letters=letters)


@action
def forget_own_mark(mark_id: UUID) -> UUID | None:
    """Stop reading a school's own mark as a code; None when it is not within scope."""
    found = tx().scalar(select(LocalCode).where(LocalCode.id == mark_id))
    if found is None:
        return None
    tx().delete(found)
    record(OWN_MARK, found.school_id, mark=found.mark, letters=None)
    return found.school_id


def _not_now(upload: Upload) -> str:
    return {
        "received": "This file is still being checked. Wait until the check has finished.",
        "needs-mapping": "Say what the file's columns mean first.",
        "applying": "This file is being applied.",
        "applied": "This file was applied. Only a file of marks can be undone."
        if upload.kind != "marks"
        else "This file was already applied.",
        "refused": "This file could not be read. Send another.",
        "withdrawn": "This file was withdrawn. Send it again to use it.",
        "undone": "This file was undone. Send it again to use it.",
    }.get(upload.state, "This can't be done with the file as it stands.")


class _Progress:
    """Shows how far work has come, on a connection of its own, at most four times a second."""

    EVERY = timedelta(milliseconds=250)

    def __init__(self, upload_id: UUID, step: str) -> None:
        self.upload_id, self.step = upload_id, step
        self.shown_at = clock.now()

    def counted(self, done: int) -> None:
        self.of(done, 0)

    def of(self, done: int, total: int) -> None:
        if clock.now() - self.shown_at < self.EVERY:
            return
        self.shown_at = clock.now()
        _show_progress(self.upload_id, self.step, done, total)


def _show_progress(upload_id: UUID, step: str, done: int, total: int) -> None:
    """Bookkeeping, not an act: committed at once, beside the transaction that does the work."""
    with unit_of_work(scope.current()) as session:
        session.merge(
            UploadProgress(
                authority_id=scope.current().authority_id, upload_id=upload_id, step=step, done=done, total=total, at=clock.now()
            )
        )
        session.commit()
