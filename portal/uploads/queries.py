"""Queries of uploads: files and findings, what the checks need, and registers received by school."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from portal.db.work import tx
from portal.jobs.outbox import OutboxJob
from portal.platform import clock
from portal.platform.refusals import must_exist
from portal.pupils.queries import roll
from portal.registers.models import CurrentPage
from portal.registers.queries import HAS_MARKS
from portal.rules.calendar import register_year, week_of
from portal.schools.models import School as SchoolRow
from portal.schools.queries import calendar_of, calendars
from portal.settings.queries import policy_on
from portal.uploads.domain.checks import SchoolContext, YearContext
from portal.uploads.domain.lifecycle import UPLOAD, UploadState
from portal.uploads.domain.preview_lists import PreviewLists
from portal.uploads.models import Finding, LocalCode, RememberedMapping, Upload, UploadContent, UploadProgress
from portal.web.paging import select_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime
    from uuid import UUID

    from portal.web.paging import Page, Position


def upload(upload_id: UUID) -> Upload | None:
    """The upload, if it is within scope."""
    return tx().scalar(select(Upload).where(Upload.id == upload_id))


def upload_for_change(upload_id: UUID) -> Upload:
    """The upload, locked until the transaction ends.

    It is read again even if the session has it, as another transaction may have changed it while this one waited for the lock.

    Raises:
        NotFoundError: when it is not within scope.
    """
    statement = select(Upload).where(Upload.id == upload_id).with_for_update()
    return must_exist(tx().scalar(statement.execution_options(populate_existing=True)))


def content_of(upload_id: UUID) -> bytes:
    """The bytes of the file as received."""
    return tx().scalars(select(UploadContent.received).where(UploadContent.upload_id == upload_id)).one()


def rejected_rows_of(upload_id: UUID) -> bytes | None:
    """The rejected rows as a CSV to correct and send again, if there are any."""
    return tx().scalar(select(UploadContent.rejected_rows).where(UploadContent.upload_id == upload_id))


def preview_lists_of(upload_id: UUID) -> PreviewLists:
    """The lists beside the preview of an upload. They are empty before it is checked, and for totals."""
    return tx().scalar(select(UploadContent.preview_lists).where(UploadContent.upload_id == upload_id)) or PreviewLists()


def findings_of(upload_id: UUID) -> Sequence[Finding]:
    """The findings of an upload, in the order in which they are shown."""
    return tx().scalars(select(Finding).where(Finding.upload_id == upload_id).order_by(Finding.number)).all()


def progress_of(upload_id: UUID) -> UploadProgress | None:
    """How far checking or applying the upload has come."""
    return tx().scalar(select(UploadProgress).where(UploadProgress.upload_id == upload_id))


def has_failed(upload_id: UUID) -> bool:
    """Whether a job of this upload has failed for good."""
    statement = select(OutboxJob.id).where(OutboxJob.ids["upload_id"].astext == str(upload_id), OutboxJob.failed_at.is_not(None))
    return tx().scalar(statement.limit(1)) is not None


def same_bytes_before(upload: Upload) -> Upload | None:
    """The newest earlier upload of the same bytes to the same school, unless rejected or cancelled."""
    return tx().scalar(
        select(Upload)
        .where(Upload.school_id == upload.school_id, Upload.sha256 == upload.sha256, Upload.id != upload.id)
        .where(Upload.received_at <= upload.received_at, Upload.state.not_in((UploadState.CANCELLED, UploadState.REJECTED)))
        .order_by(Upload.received_at.desc())
        .limit(1)
    )


def uploads(position: Position) -> Page[tuple[Upload, str]]:
    """A page of the uploads within scope with their school's name, newest first."""
    is_its_school = (SchoolRow.authority_id == Upload.authority_id) & (SchoolRow.id == Upload.school_id)
    statement = select(Upload, SchoolRow.name).join(SchoolRow, is_its_school)
    return select_page(statement, Upload.received_at, Upload.id, position=position, descending=True)


def school_for_checks(school_id: UUID, days: Sequence[date]) -> SchoolContext:
    """The school as the checks need it, for these days."""
    school = tx().scalars(select(SchoolRow).where(SchoolRow.id == school_id)).one()
    calendar = calendar_of(school_id)
    years = {register_year(week_of(day)) for day in days} or {register_year(week_of(clock.today()))}
    local = tx().execute(select(LocalCode.mark, LocalCode.letters).where(LocalCode.school_id == school_id))
    return SchoolContext(
        numbers=_numbers(school),
        today=clock.today(),
        years={year: YearContext(roll(school_id, year), calendar) for year in years},
        local_codes={row.mark: row.letters for row in local},
        policy=policy_on(clock.today()),
        opened_on=school.opened_on,
        closed_on=school.closed_on,
    )


def numbers_of(school_id: UUID) -> frozenset[str]:
    """The numbers by which a file may name a school."""
    return _numbers(tx().scalars(select(SchoolRow).where(SchoolRow.id == school_id)).one())


def _numbers(school: SchoolRow) -> frozenset[str]:
    """URN, LAESTAB without slash, and establishment number: those the school has."""
    laestab = (school.laestab or "").replace("/", "").replace(" ", "")
    return frozenset(number for number in (school.urn, laestab, laestab[-4:]) if number)


def remembered_mappings(school_id: UUID) -> dict[str, dict[str, str]]:
    """The column mappings this school has set, by the fingerprint of the headings they are for."""
    statement = select(RememberedMapping.fingerprint, RememberedMapping.mapping).where(RememberedMapping.school_id == school_id)
    return {row.fingerprint: row.mapping for row in tx().execute(statement)}


def local_codes(school_id: UUID) -> Sequence[LocalCode]:
    """The school's own marks and their statutory codes."""
    return tx().scalars(select(LocalCode).where(LocalCode.school_id == school_id).order_by(LocalCode.mark)).all()


@dataclass(frozen=True, slots=True)
class SchoolRegistersReceived:
    """Registers received from one school: last day, gaps, delay and newest file."""

    school_id: UUID
    name: str
    phase: str
    last_day: date | None
    school_days_behind: int
    expected: int
    missing: int
    weeks: int
    newest_upload: datetime | None
    waiting: int


def registers_received(academic_year_from: date) -> list[SchoolRegistersReceived]:
    """Registers received since the start of the academic year, by school, in order of name."""
    calendar_by_school, today = calendars(), clock.today()
    return [
        SchoolRegistersReceived(
            school.id,
            school.name,
            school.phase,
            last_day,
            calendar_by_school[school.id].school_days_since(last_day, today) if last_day else 0,
            expected or 0,
            missing or 0,
            weeks or 0,
            newest,
            waiting or 0,
        )
        for school, last_day, expected, missing, weeks, newest, waiting in _received(academic_year_from)
    ]


def _received(since: date) -> Sequence[Any]:
    """Each open school with last day, marks expected and missing, weeks, newest file and files waiting."""
    pages = (
        select(
            CurrentPage.authority_id,
            CurrentPage.school_id,
            func.max(CurrentPage.last_day).label("last_day"),
            func.sum(CurrentPage.expected).label("expected"),
            func.sum(CurrentPage.missing).label("missing"),
            func.count().label("weeks"),
        )
        .where(CurrentPage.week >= week_of(since), HAS_MARKS)
        .group_by(CurrentPage.authority_id, CurrentPage.school_id)
        .subquery()
    )
    files = (
        select(
            Upload.authority_id,
            Upload.school_id,
            func.max(Upload.received_at).label("newest"),
            func.count().filter(Upload.state.in_(UPLOAD.live())).label("waiting"),
        )
        .group_by(Upload.authority_id, Upload.school_id)
        .subquery()
    )
    return (
        tx()
        .execute(
            select(SchoolRow, pages.c.last_day, pages.c.expected, pages.c.missing, pages.c.weeks, files.c.newest, files.c.waiting)
            .outerjoin(pages, (pages.c.authority_id == SchoolRow.authority_id) & (pages.c.school_id == SchoolRow.id))
            .outerjoin(files, (files.c.authority_id == SchoolRow.authority_id) & (files.c.school_id == SchoolRow.id))
            .where(SchoolRow.closed_on.is_(None))
            .order_by(SchoolRow.name)
        )
        .all()
    )
