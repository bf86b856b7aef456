"""A county's measurements: one school's week among many schools, bytes on disk, and the cost of summaries."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import psycopg

from bench.database import YEAR, add_school, best, pages_of, register
from bench.school_year import csv_of
from portal.registers.actions import write_pages
from portal.registers.queries import year_bounds
from portal.registers.views import summaries
from portal.rules.codes import CODES_BY_SYMBOL
from portal.uploads.actions import import_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from uuid import UUID

    from bench.database import BenchDatabase

SHARE_CORRECTED = 0.01
MILLISECONDS = 1000
DAYS_A_WEEK = 5


@dataclass(frozen=True)
class CountySize:
    """A county at one size: its schools and marks, and milliseconds for a school's week and each query."""

    schools: int
    marks: int
    week_from_csv: float
    week_written: float
    every_school: float
    comparison: float


@dataclass(frozen=True)
class County:
    """The county at its first and its final size, and the bytes per mark on disk."""

    before: CountySize
    after: CountySize
    bytes_once: float
    bytes_daily: float
    row_per_mark: float


def measured(
    bench: BenchDatabase, first: tuple[UUID, ...], days: tuple[date, ...], size: tuple[int, int, int], note: Callable[[str], None]
) -> County:
    """Measure, fill the authority up to `size`, and measure again.

    `size` is the number of schools, of pupils in each new one, and of pupils in each of the first ones.
    """
    schools, pupils, pupils_before = size
    marks = len(first) * pupils_before * 2 * len(days)
    bench.vacuum()
    before = _measure_size(bench, first[0], days, pupils_before, (len(first), marks), seed=100)
    table_before, number = _table_bytes(bench, "register_page"), len(first)
    for number in range(len(first) + 1, schools + 1):
        note(f"a county: school {number} of {schools}")
        school_id = add_school(bench, number, pupils)
        with bench.work():
            write_pages(school_id, pages_of(register(pupils, 2 * len(days), number), days), upload_id=None)
    added = (schools - len(first)) * pupils * 2 * len(days)
    bytes_once = (_table_bytes(bench, "register_page") - table_before) / added
    bench.vacuum()
    after = _measure_size(bench, first[0], days, pupils_before, (schools, marks + added), seed=200)
    note("a county: a version a day, and corrections")
    bytes_daily = _bytes_with_daily_versions(bench, number + 1, pupils_before, days)
    return County(before, after, bytes_once, bytes_daily, _table_bytes(bench, "usual_mark") / (pupils_before * 2 * len(days)))


def _measure_size(
    bench: BenchDatabase, school_id: UUID, days: tuple[date, ...], pupils: int, counts: tuple[int, int], *, seed: int
) -> CountySize:
    """Change and apply one week of the first school five times, then run the two queries."""
    week = days[-DAYS_A_WEEK:]
    from_csv, pages_written = [], []
    for repeat in range(5):
        content = csv_of(1, register(pupils, 2 * len(week), seed + repeat), week)
        started = time.perf_counter()
        with bench.work():
            import_file(school_id, kind="marks", file_name="week.csv", content=content)
        from_csv.append(time.perf_counter() - started)
        pages = pages_of(register(pupils, 2 * len(week), seed + 50 + repeat), week)
        started = time.perf_counter()
        with bench.work():
            write_pages(school_id, pages, upload_id=None)
        pages_written.append(time.perf_counter() - started)
    every_school_ms = MILLISECONDS * best(partial(_run_query, bench, _every_school), 5)
    comparison_ms = MILLISECONDS * best(partial(_run_query, bench, partial(_comparison, school_id)), 5)
    from_csv_ms, written_ms = (MILLISECONDS * statistics.median(seconds) for seconds in (from_csv, pages_written))
    return CountySize(*counts, from_csv_ms, written_ms, every_school_ms, comparison_ms)


def _run_query(bench: BenchDatabase, query: Callable[[], object]) -> None:
    with bench.work():
        query()


def _every_school() -> object:
    return summaries.every_school(YEAR, recent_from=year_bounds(YEAR)[1])


def _comparison(school_id: UUID) -> object:
    return summaries.school_weeks(school_id, YEAR), summaries.authority_weeks("secondary", YEAR)


def _bytes_with_daily_versions(bench: BenchDatabase, number: int, pupils: int, days: tuple[date, ...]) -> float:
    """Bytes per mark when each day adds a version of its page, and 1% are corrected later."""
    school_id = add_school(bench, number, pupils)
    table_before = _table_bytes(bench, "register_page")
    marks = register(pupils, 2 * len(days), number)
    rng = np.random.default_rng(number)
    for index, day in enumerate(days):
        with bench.work():
            write_pages(school_id, pages_of(marks[:, index * 2 : index * 2 + 2], (day,)), upload_id=None)
        if index % DAYS_A_WEEK == DAYS_A_WEEK - 1:
            week = slice(index - DAYS_A_WEEK + 1, index + 1)
            columns = slice(2 * week.start, 2 * week.stop)
            corrected = np.where(
                rng.random((pupils, 2 * DAYS_A_WEEK)) < SHARE_CORRECTED, CODES_BY_SYMBOL["I"].byte, marks[:, columns]
            )
            with bench.work():
                write_pages(school_id, pages_of(corrected, days[week]), upload_id=None)
    return (_table_bytes(bench, "register_page") - table_before) / (pupils * 2 * len(days))


def _table_bytes(bench: BenchDatabase, table: str) -> int:
    with psycopg.connect(bench.server.url("portal_owner")) as connection:
        row = connection.execute("SELECT pg_total_relation_size(%s::regclass)", (table,)).fetchone()
    return int(row[0]) if row else 0
