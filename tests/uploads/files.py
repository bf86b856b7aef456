"""Made-up files of a school, and helpers to import them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.pupils.domain.incoming import check_letter
from portal.uploads import actions, queries
from portal.uploads.domain.previews import MarksPreview

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from portal.uploads.models import Finding, Upload

HEADINGS = "UPN,Surname,Forename,DOB,NCYear,Date,Session,Code"
#: Two whole school weeks before the fixed clock: 2 to 13 November 2026.
DAYS = tuple(date(2026, 11, 2) + timedelta(days=offset) for offset in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11))
PUPILS = 6


def upn(number: int) -> str:
    """A UPN with the correct check letter, of a school that does not exist."""
    body = f"0019999{number:05d}"
    return f"{check_letter('A' + body)}{body}"


def date_of_birth(number: int) -> date:
    """The date of birth of a pupil in Years 1 to 6."""
    return date(2026 - 6 - number % 6, 3, 1 + number % 27)


def row(number: int, on: str, session: str, code: str, dob: str | None = None) -> str:
    """One row of the long layout."""
    birth = f"{date_of_birth(number):%d/%m/%Y}" if dob is None else dob
    return f"{upn(number)},Ashdown{number},Bryn,{birth},{number % 6 + 1},{on},{session},{code}"


def present(_pupil: int, _on: date, session: str) -> str:
    """The code of a pupil who is present."""
    return "/" if session == "AM" else "\\"


def rows(days: Sequence[date] = DAYS, pupils: int = PUPILS, code: Callable[[int, date, str], str] = present) -> list[str]:
    """A row for each pupil and session."""
    return [
        row(pupil, f"{on:%d/%m/%Y}", half, code(pupil, on, half)) for pupil in range(pupils) for on in days for half in ("AM", "PM")
    ]


def csv(*lines: str) -> bytes:
    """A file of these rows."""
    return ("\n".join([HEADINGS, *lines]) + "\n").encode()


def import_rows(school_id: UUID, *lines: str, add_pupils: bool = False) -> Upload:
    """Import a file of these rows."""
    return get_upload(
        actions.import_file(school_id, kind="marks", file_name="marks.csv", content=csv(*lines), add_pupils=add_pupils)
    )


def get_upload(upload_id: UUID) -> Upload:
    """The upload with this id. Fails if there is none."""
    upload = queries.upload(upload_id)
    assert upload is not None
    return upload


def findings_by_kind(upload: Upload) -> dict[str, Finding]:
    """The findings of an upload by kind. Fails if a kind occurs twice."""
    findings_by_kind = queries.findings_of(upload.id)
    by_kind = {finding.kind: finding for finding in findings_by_kind}
    assert len(by_kind) == len(findings_by_kind)
    return by_kind


def marks_preview(upload: Upload) -> MarksPreview:
    """The preview of an upload of marks. Fails if it has none."""
    assert isinstance(upload.preview, MarksPreview)
    return upload.preview
