"""A trust's lists among a county's schools: what they cost beside the same lists of the whole authority."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from portal.accounts.queries.principals import command_line_scope
from portal.db.work import tx, unit_of_work
from portal.registers.models import PupilYearSummary
from portal.registers.views.summaries import every_school
from portal.schools.models import School
from portal.uploads.queries import registers_received, uploads
from portal.web.paging import Position

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from bench.database import BenchDatabase
    from portal.security.scope import Scope

TRUST_SCHOOLS = 30
ACADEMIC_YEAR = 2026
FIRST_DAY = date(2026, 9, 1)
WEEKS = 10
ROUNDS = 15

_SCHOOLS = """
INSERT INTO school (authority_id, id, urn, name, phase)
SELECT %(authority)s, gen_random_uuid(), 'T' || lpad(n::text, 5, '0'), 'Trust school ' || n, 'primary'
FROM generate_series(1, %(schools)s) n
"""
_PUPILS = """
INSERT INTO pupil (authority_id, id, school_id, surname, forename, surname_folded, forename_folded, date_of_birth, reference)
SELECT s.authority_id, gen_random_uuid(), s.id, 'Pupil ' || n, 'Planted', 'pupil ' || n, 'planted', date '2015-09-01',
    lpad(n::text, 8, '0')
FROM school s, generate_series(1, %(each)s) n WHERE s.authority_id = %(authority)s AND s.urn LIKE 'T%%'
"""
#: A number in each column, whatever it counts: the lists read them and compare them with nothing.
_SUMMARIES = """
INSERT INTO pupil_year_summary (authority_id, school_id, academic_year, line, pupil_id, {counts})
SELECT p.authority_id, p.school_id, %(year)s, p.reference::int, p.id, {ones}
FROM pupil p JOIN school s ON s.authority_id = p.authority_id AND s.id = p.school_id
WHERE p.authority_id = %(authority)s AND s.urn LIKE 'T%%'
"""
_PAGES = """
INSERT INTO current_page (authority_id, school_id, week, version, expected, missing, last_day, recorded_at)
SELECT s.authority_id, s.id, date '2026-09-07' + 7 * n, 1, 100, 0, date '2026-09-11' + 7 * n, now()
FROM school s, generate_series(0, %(weeks)s - 1) n WHERE s.authority_id = %(authority)s AND s.urn LIKE 'T%%'
"""
_UPLOADS = """
INSERT INTO upload (authority_id, id, school_id, kind, state, file_name, sha256, size, received_at, mapping, add_pupils, preview,
    rows_in, rows_stored, rows_rejected)
SELECT s.authority_id, gen_random_uuid(), s.id, 'marks', 'previewed', 'week.csv', '', 1, now(), '{{}}', false,
    '{{"kind": "marks"}}', 0, 0, 0
FROM school s, generate_series(1, %(weeks)s) n WHERE s.authority_id = %(authority)s AND s.urn LIKE 'T%%'
"""


def plant(authority_id: UUID, *, schools: int, pupils: int) -> frozenset[UUID]:
    """Plant a county in an authority: its schools, a year's summary of each pupil, pages and uploads. Returns a trust's schools."""
    counts = [column.name for column in PupilYearSummary.__table__.columns if not column.primary_key and column.name != "pupil_id"]
    values = {"authority": authority_id, "schools": schools, "each": pupils // schools, "year": ACADEMIC_YEAR, "weeks": WEEKS}
    with unit_of_work(command_line_scope(authority_id)) as session:
        for statement in (_SCHOOLS, _PUPILS, _SUMMARIES, _PAGES, _UPLOADS):
            text = statement.format(counts=", ".join(counts), ones=", ".join("1" for _ in counts))
            session.connection().exec_driver_sql(text, values)
        trust = select(School.id).where(School.urn.startswith("T")).order_by(School.urn)
        in_trust = frozenset(session.scalars(trust.limit(TRUST_SCHOOLS)))
        session.commit()
    return in_trust


def pupils_counted() -> int:
    """The number of pupils with a summary of the year, in reach."""
    counted = select(func.count()).select_from(PupilYearSummary).where(PupilYearSummary.academic_year == ACADEMIC_YEAR)
    return tx().scalar(counted) or 0


#: The lists that a trust's lead reads, by name.
LISTS: dict[str, Callable[[], object]] = {
    "pupils counted": pupils_counted,
    "every school": lambda: every_school(ACADEMIC_YEAR, recent_from=FIRST_DAY),
    "registers received": lambda: registers_received(FIRST_DAY),
    "uploads": lambda: uploads(Position()),
}


@dataclass(frozen=True)
class TrustLists:
    """Milliseconds of each list for the trust and for the whole authority."""

    schools: int
    pupils: int
    trust: dict[str, float]
    authority: dict[str, float]


def measured(bench: BenchDatabase, *, schools: int, pupils: int, note: Callable[[str], None]) -> TrustLists:
    """Plant the county and measure each list in both scopes, the median of several."""
    note(f"a trust: {TRUST_SCHOOLS} of {schools} schools, {pupils:,} pupils")
    authority = command_line_scope(bench.authority_id)
    trust = replace(authority, schools=plant(bench.authority_id, schools=schools, pupils=pupils))
    bench.vacuum()
    return TrustLists(schools, pupils, _milliseconds(trust), _milliseconds(authority))


def _milliseconds(scope: Scope) -> dict[str, float]:
    times: dict[str, float] = {}
    for name, read in LISTS.items():
        rounds = []
        for _ in range(ROUNDS):
            with unit_of_work(scope):
                tx().connection()
                started = time.perf_counter()
                read()
                rounds.append(time.perf_counter() - started)
        times[name] = statistics.median(rounds) * 1000
    return times
