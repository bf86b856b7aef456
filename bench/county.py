"""A county: one school's week applied among many schools, bytes on disk, and what overviews cost as marks grow."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import psycopg

from bench.ground import YEAR, add_school, best, pages_of, register
from bench.school_year import csv_of
from portal.registers import overview
from portal.registers.actions import write_pages
from portal.registers.queries import year_bounds
from portal.rules.codes import BY_LETTERS
from portal.uploads.actions import take

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from uuid import UUID

    from bench.ground import Ground

CORRECTED = 0.01
MILLISECONDS = 1000
DAYS_A_WEEK = 5


@dataclass(frozen=True)
class Size:
    """A county as it stood at one size: schools, marks, and milliseconds for each question and for one school's week."""

    schools: int
    marks: int
    week_from_csv: float
    week_written: float
    every_school: float
    comparison: float


@dataclass(frozen=True)
class County:
    """The county small and full, and bytes a mark on disk."""

    small: Size
    full: Size
    bytes_once: float
    bytes_daily: float
    row_per_mark: float


def measured(
    where: Ground, first: tuple[UUID, ...], days: tuple[date, ...], size: tuple[int, int, int], note: Callable[[str], None]
) -> County:
    """Fill the authority up to `size` (schools, pupils in each, pupils in the schools there already) and ask again."""
    schools, pupils, there = size
    marks = len(first) * there * 2 * len(days)
    _settle(where)
    small = _asked(where, first[0], days, there, (len(first), marks), seed=100)
    once_before, number = _table_bytes(where, "register_page"), len(first)
    for number in range(len(first) + 1, schools + 1):
        note(f"a county: school {number} of {schools}")
        school_id = add_school(where, number, pupils)
        with where.work():
            write_pages(school_id, pages_of(register(pupils, 2 * len(days), number), days), upload_id=None)
    added = (schools - len(first)) * pupils * 2 * len(days)
    once = (_table_bytes(where, "register_page") - once_before) / added
    _settle(where)
    full = _asked(where, first[0], days, there, (schools, marks + added), seed=200)
    note("a county: a version a day, and corrections")
    daily = _daily(where, number + 1, there, days)
    return County(small, full, once, daily, _table_bytes(where, "usual_mark") / (there * 2 * len(days)))


def _asked(where: Ground, school_id: UUID, days: tuple[date, ...], pupils: int, stands: tuple[int, int], *, seed: int) -> Size:
    """One week of the first school changed and applied five times over, then the two questions."""
    week = days[-DAYS_A_WEEK:]
    from_csv, written = [], []
    for turn in range(5):
        content = csv_of(1, register(pupils, 2 * len(week), seed + turn), week)
        begun = time.perf_counter()
        with where.work():
            take(school_id, kind="marks", file_name="week.csv", content=content)
        from_csv.append(time.perf_counter() - begun)
        pages = pages_of(register(pupils, 2 * len(week), seed + 50 + turn), week)
        begun = time.perf_counter()
        with where.work():
            write_pages(school_id, pages, upload_id=None)
        written.append(time.perf_counter() - begun)
    every = MILLISECONDS * best(partial(_ask, where, _every_school), 5)
    own = MILLISECONDS * best(partial(_ask, where, partial(_comparison, school_id)), 5)
    return Size(*stands, MILLISECONDS * statistics.median(from_csv), MILLISECONDS * statistics.median(written), every, own)


def _ask(where: Ground, question: Callable[[], object]) -> None:
    with where.work():
        question()


def _every_school() -> object:
    return overview.every_school(YEAR, recent_from=year_bounds(YEAR)[1])


def _comparison(school_id: UUID) -> object:
    return overview.school_weeks(school_id, YEAR), overview.authority_weeks("secondary", YEAR)


def _daily(where: Ground, number: int, pupils: int, days: tuple[date, ...]) -> float:
    """Bytes a mark when each day is a version of its page and 1% of marks are put right by a later version."""
    school_id = add_school(where, number, pupils)
    before = _table_bytes(where, "register_page")
    marks = register(pupils, 2 * len(days), number)
    chance = np.random.default_rng(number)
    for place, on in enumerate(days):
        with where.work():
            write_pages(school_id, pages_of(marks[:, place * 2 : place * 2 + 2], (on,)), upload_id=None)
        if place % DAYS_A_WEEK == DAYS_A_WEEK - 1:
            week = slice(place - DAYS_A_WEEK + 1, place + 1)
            columns = slice(2 * week.start, 2 * week.stop)
            put_right = np.where(chance.random((pupils, 2 * DAYS_A_WEEK)) < CORRECTED, BY_LETTERS["I"].byte, marks[:, columns])
            with where.work():
                write_pages(school_id, pages_of(put_right, days[week]), upload_id=None)
    return (_table_bytes(where, "register_page") - before) / (pupils * 2 * len(days))


def _table_bytes(where: Ground, table: str) -> int:
    with psycopg.connect(where.server.url("portal_owner")) as connection:
        found = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return int(found[0]) if found else 0


def _settle(where: Ground) -> None:
    """What autovacuum does by itself within a minute or so, and would otherwise do in the middle of a measurement."""
    with psycopg.connect(where.server.url("portal_owner"), autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
