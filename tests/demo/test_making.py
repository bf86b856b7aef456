"""Making the demonstration in a real database: what was planned is there, audited, and can be removed."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, select

from demo.actions import Progress, make_demonstration, write_plan
from demo.authorities import WRENFOLD, plan_authority
from demo.faulty_files import REJECTED
from demo.marks import marks, weeks_sent, with_missing_marks
from demo.rates import rates
from demo.removal import remove_demonstrations
from demo.sending import APPLIED, planned_uploads
from demo.terms import calendar_of
from portal.accounts.actions.people import ensure_platform
from portal.accounts.queries.people import demonstration_people
from portal.accounts.queries.principals import authority_by_slug, command_line_scope, platform_scope
from portal.audit.queries import check_chain
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.pupils.models import Child, Pupil, PupilContact, RollLine
from portal.registers.domain.pages import SESSIONS
from portal.registers.models import PupilYearSummary, SchoolWeekSummary
from portal.registers.queries import year_register
from portal.schools.models import School
from portal.schools.queries import calendars, school_by_urn
from portal.uploads.models import Finding, Upload
from tests.demo.conftest import TODAY
from tests.support import servers
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.plans import Plan

OWNED = """
SELECT c.relname, c.relforcerowsecurity AND NOT c.relrowsecurity FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND a.attname = 'authority_id'
"""


def _quiet(_line: str) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def small() -> Plan:
    """Eight schools of every phase, with a silent one."""
    return plan_authority(3, today=TODAY, schools=9, pupils=900)


@pytest.fixture
def written(rolled_back: None, small: Plan) -> Iterator[UUID]:
    """The small plan in the database, seen by the command line. Returns its authority's id."""
    with unit_of_work(platform_scope()):
        ensure_platform()
    write_plan(small, Progress(_quiet))
    with unit_of_work(None):
        authority = authority_by_slug(small.slug)
        assert authority is not None
        authority_id = authority.id
    with unit_of_work(command_line_scope(authority_id)):
        yield authority_id


def test_what_was_planned_is_there(written: UUID, small: Plan) -> None:
    _counts(small)
    _calendars(small)
    _registers(small)
    _summaries(small)
    _uploads(small)
    assert check_chain().first_bad is None
    assert len(demonstration_people()) == len(small.people)


def _counts(small: Plan) -> None:
    assert tx().scalar(select(func.count()).select_from(School)) == len(small.schools)
    at_schools = {(line.pupil, urn) for (urn, _), register in small.registers.items() for line in register.lines}
    assert tx().scalar(select(func.count()).select_from(Pupil)) == len(at_schools)
    assert tx().scalar(select(func.count()).select_from(Child)) == len(small.pupils) == len({number for number, _ in at_schools})
    assert tx().scalar(select(func.count()).select_from(RollLine)) == sum(
        len(register.lines) for register in small.registers.values()
    )
    assert tx().scalars(select(func.count()).select_from(PupilContact)).one() >= sum(len(pupil.contacts) for pupil in small.pupils)


def _calendars(small: Plan) -> None:
    """The portal reads the term dates as the plan means them."""
    stored = calendars()
    for school in small.schools:
        row = school_by_urn(school.urn)
        assert row is not None
        planned = [day for year in small.years for day in calendar_of(small.terms, small.closed, school.urn, year).school_days()]
        assert list(stored[row.id].school_days()) == planned


def _registers(small: Plan) -> None:
    by_files = {upload.urn for upload in planned_uploads(small) if upload.first_week}
    for school in small.schools:
        row = school_by_urn(school.urn)
        assert row is not None
        for year in small.years:
            planned = marks(small, school.urn, year)
            if year == small.years[-1]:
                planned = with_missing_marks(small, school.urn, planned)
            sent_count = weeks_sent(small, school.urn, year) - (2 if school.urn in by_files and year == small.years[-1] else 0)
            stored = year_register(row.id, year)
            assert stored.weeks[:sent_count] == small.registers[school.urn, year].weeks[:sent_count]
            assert np.array_equal(stored.marks[:, : sent_count * SESSIONS], planned[:, :sent_count].reshape(len(planned), -1))


def _summaries(small: Plan) -> None:
    """The portal counts last year as the generator does."""
    for phase, rate in rates(small, small.years[0]).items():
        of_phase = select(School.id).where(School.phase == phase)
        summed = (
            tx()
            .execute(
                select(
                    func.sum(SchoolWeekSummary.possible), func.sum(SchoolWeekSummary.authorised + SchoolWeekSummary.unauthorised)
                ).where(
                    SchoolWeekSummary.school_id.in_(of_phase),
                    SchoolWeekSummary.dimension == "headline",
                    SchoolWeekSummary.week < date(small.years[1], 8, 1),
                )
            )
            .one()
        )
        assert summed[0] == rate.possible
        assert 100 * summed[1] / summed[0] == pytest.approx(rate.absence)
        persistent = select(func.count()).where(
            PupilYearSummary.school_id.in_(of_phase),
            PupilYearSummary.academic_year == small.years[0],
            PupilYearSummary.headline_possible > 0,
            PupilYearSummary.headline_absent * 10 >= PupilYearSummary.headline_possible,
        )
        assert tx().scalar(persistent) == round(rate.persistent * rate.enrolments / 100)


def _uploads(small: Plan) -> None:
    """Every file has the planned state, and exactly the marks of the answer key are rejected."""
    rows = {
        (row.file_name, school.urn): row
        for row, school in tx().execute(select(Upload, School).join(School, School.id == Upload.school_id))
    }
    for upload in planned_uploads(small):
        row = rows[upload.file.name, upload.urn]
        state = "applied" if upload.outcome == APPLIED else "previewed" if upload.first_week else "rejected"
        assert row.state == state, (upload.file.layout, row.rejection)
        if upload.first_week:
            assert (row.rows_in, row.rows_rejected) == (upload.file.marks, upload.file.rejected)
    faulty = next(upload.file for upload in planned_uploads(small) if upload.file.rejected > 10)
    counted = tx().execute(
        select(Finding.kind, func.sum(Finding.count))
        .where(Finding.upload_id == rows[faulty.name, faulty.urn].id, Finding.rejected)
        .group_by(Finding.kind)
    )
    key = {kind: count for kind, count in faulty.answer_key.items() if kind in REJECTED}
    key["unknown-code"] += faulty.answer_key["own-mark"]
    assert {kind: int(count) for kind, count in counted} == key


@pytest.mark.slow
def test_the_command_makes_two_authorities_once(rolled_back: None) -> None:
    lines: list[str] = []
    summary = make_demonstration(schools=4, pupils=300, tell=lines.append)
    assert summary["made"]
    assert "wrenfold" in str(summary["authorities"])
    assert "eastmarch" in str(summary["authorities"])
    assert lines[-1].endswith("Ready")
    assert all(" s  " in line for line in lines)
    second = make_demonstration(schools=4, pupils=300, if_empty=True, tell=lines.append)
    assert not second["made"]
    third = make_demonstration(schools=4, pupils=300, tell=lines.append)
    assert "--reset" in str(third["why"])


def test_only_the_demonstration_is_removed(engine: object, database_name: str) -> None:
    """The plans are committed, because the owner removes on another connection; the end removes both."""
    owner = os.environ[servers.OWNER].format(database_name)
    plans = [
        plan_authority(seed, today=TODAY, schools=3, pupils=120, identity=replace(WRENFOLD, name=name))
        for seed, name in ((1, "Gonefold"), (2, "Stayfold"))
    ]
    with clock.frozen_at(NOW):
        for plan in plans:
            write_plan(plan, Progress(_quiet))
    with psycopg.connect(os.environ[servers.SUPER].rsplit("/", 1)[0] + f"/{database_name}", autocommit=True) as connection:
        connection.execute("UPDATE authority SET demonstration = false WHERE slug = 'stayfold'")
        ids: dict[object, object] = dict(connection.execute("SELECT slug, id FROM authority").fetchall())
        before = _rows(connection, ids["stayfold"])
        assert remove_demonstrations(owner) == 1
        assert not any(_rows(connection, ids["gonefold"]).values())
        assert _rows(connection, ids["stayfold"]) == before
        assert sum(before.values()) > 1000
        assert not [table for table, unsecured in connection.execute(OWNED) if unsecured]
        connection.execute("UPDATE authority SET demonstration = true WHERE slug = 'stayfold'")
        assert remove_demonstrations(owner) == 1
        assert not any(_rows(connection, ids["stayfold"]).values())


def _rows(connection: psycopg.Connection[tuple[object, ...]], authority_id: object) -> dict[str, int]:
    """How many rows of an authority each table holds."""
    counted: dict[str, int] = {}
    for table, _ in connection.execute(OWNED).fetchall():
        count = sql.SQL("SELECT count(*) FROM {} WHERE authority_id = %s").format(sql.Identifier(str(table)))
        row = connection.execute(count, (authority_id,)).fetchone()
        counted[str(table)] = int(str(row[0])) if row else 0
    return counted


def test_removal_needs_the_database_owner() -> None:
    with pytest.raises(ValueError, match="DATABASE_OWNER_URL"):
        remove_demonstrations("")
