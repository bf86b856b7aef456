"""Files a school could send, of pupils who cannot be real, and the shortest way to send them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.pupils.incoming import check_letter
from portal.uploads import actions, queries

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from portal.uploads.models import Finding, Upload

HEADINGS = "UPN,Surname,Forename,DOB,NCYear,Date,Session,Code"
#: Two whole school weeks before the standing clock: 2 to 13 November 2026.
DAYS = tuple(date(2026, 11, 2) + timedelta(days=ahead) for ahead in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11))
PUPILS = 6


def upn(number: int) -> str:
    """A UPN with a right check letter that no child can have."""
    body = f"0019999{number:05d}"
    return f"{check_letter('A' + body)}{body}"


def born(number: int) -> date:
    """A date of birth of someone in Years 1 to 6."""
    return date(2026 - 6 - number % 6, 3, 1 + number % 27)


def row(number: int, on: str, session: str, code: str, dob: str | None = None) -> str:
    """One row of the long layout."""
    return (
        f"{upn(number)},Ashdown{number},Bryn,{born(number):%d/%m/%Y},{number % 6 + 1},{on},{session},{code}"
        if dob is None
        else (f"{upn(number)},Ashdown{number},Bryn,{dob},{number % 6 + 1},{on},{session},{code}")
    )


def present(_pupil: int, _on: date, session: str) -> str:
    """Everyone is there."""
    return "/" if session == "AM" else "\\"


def rows(days: Sequence[date] = DAYS, pupils: int = PUPILS, code: Callable[[int, date, str], str] = present) -> list[str]:
    """A row for each pupil and session."""
    return [row(one, f"{on:%d/%m/%Y}", half, code(one, on, half)) for one in range(pupils) for on in days for half in ("AM", "PM")]


def csv(*lines: str) -> bytes:
    """A file of these rows."""
    return ("\n".join([HEADINGS, *lines]) + "\n").encode()


def take(school_id: UUID, *lines: str, add_pupils: bool = False) -> Upload:
    """Send these rows and apply what is good of them."""
    return found(actions.take(school_id, kind="marks", file_name="marks.csv", content=csv(*lines), add_pupils=add_pupils))


def found(upload_id: UUID) -> Upload:
    """The upload, which must be there."""
    row = queries.upload(upload_id)
    assert row is not None
    return row


def findings(upload: Upload) -> dict[str, Finding]:
    """What was found, by kind; each kind once."""
    held = queries.findings_of(upload.id)
    by_kind = {one.kind: one for one in held}
    assert len(by_kind) == len(held)
    return by_kind
