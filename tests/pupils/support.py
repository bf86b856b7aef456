"""Pupils as a list has them, who cannot be real, and the SQL statements of a block."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, select

from portal.db import connection as database
from portal.db.work import tx
from portal.pupils.domain.incoming import IncomingParent, IncomingPupil, check_letter
from portal.pupils.models import RollLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

YEAR = 2026
SURNAMES = ("Ashdown", "Brackley", "Colewood", "Denholm", "Eastry", "Fenwick")
FORENAMES = ("Amira", "Bryn", "Carys", "Dewi", "Ela", "Finn", "Gita")


def upn(number: int) -> str:
    """A UPN with a right check letter that no child can have: LA 001, establishment 9999."""
    body = f"0019999{number:05d}"
    letter = check_letter("A" + body)
    assert letter is not None
    return letter + body


def child(number: int = 1, **values: Any) -> IncomingPupil:
    """A Year 4 pupil from a list, with `values` in place of the usual ones."""
    pupil = IncomingPupil(
        surname=SURNAMES[number % len(SURNAMES)] + "abcdefghij"[number // 40 % 10] + "abcdefghij"[number % 10],
        forename=FORENAMES[number % len(FORENAMES)],
        date_of_birth=date(2017, 9, 1) + timedelta(days=number % 360),
        upn=upn(number),
        year_group="4",
        registration_group="4W",
        admission_date=date(2022, 9, 1),
        row=number + 1,
    )
    return replace(pupil, **values)


def parent(name: str = "Rowan Ashdown", **values: Any) -> IncomingParent:
    """A parent from a list, with `values` in place of the usual ones."""
    base = IncomingParent(name, relationship="Mother", phone="01632 960001", address="1 Test Row", postcode="ZZ1 1ZZ")
    return replace(base, **values)


def lines(school_id: UUID, year: int = YEAR) -> list[RollLine]:
    """A school's roll lines of a year, read from the database again."""
    query = select(RollLine).where(RollLine.school_id == school_id, RollLine.academic_year == year)
    return list(tx().scalars(query.order_by(RollLine.line).execution_options(populate_existing=True)))


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements sent while the block runs."""
    sent: list[str] = []

    def remember(*args: object) -> None:
        sent.append(str(args[2]))

    event.listen(database.engine(), "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(database.engine(), "before_cursor_execute", remember)
