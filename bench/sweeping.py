"""The ten-in-ten threshold over a county in memory, beside pandas and DuckDB; and the year summaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import duckdb
import numpy as np
import pandas as pd

from bench.database import TERMS, YEAR, best, register
from portal.pupils.domain.rolls import Roll
from portal.registers.domain import vectorised
from portal.registers.domain.pages import SESSIONS, UNAUTHORISED
from portal.registers.domain.summary_rows import pupil_year_counts
from portal.registers.domain.year_register import YearRegister
from portal.rules.calendar import Calendar
from portal.rules.policy import DEFAULT_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MILLION, MILLISECONDS = 1_000_000, 1000
SCHOOL_SIZE = 1_000
DAYS_A_WEEK = 5


@dataclass(frozen=True)
class SweepResult:
    """Milliseconds per million marks for each way, all on the same pupils and marks."""

    pupils: int
    marks: int
    threshold: float
    standings: float
    pandas: float
    duckdb_window: float
    duckdb_lag: float


def measured(pupils: int, note: Callable[[str], None]) -> SweepResult:
    """Find the pupils at the threshold in a county's year. All ways must name the same pupils, or the run fails."""
    note(f"the sweep: {pupils:,} pupils in memory")
    weeks = [TERMS[0][1] + timedelta(weeks=number) for number in range(38)]
    calendar = Calendar.from_terms([(weeks[0], weeks[-1] + timedelta(days=4))])
    schools = [_in_pages(register(SCHOOL_SIZE, 38 * 2 * DAYS_A_WEEK, seed)) for seed in range(max(1, pupils // SCHOOL_SIZE))]
    marks = sum(int(np.count_nonzero(school)) for school in schools)
    week_numbers = np.repeat(np.arange(38), SESSIONS)
    threshold = best(lambda: [vectorised.threshold(school, week_numbers) for school in schools])
    sample = schools[: max(1, min(len(schools), 25))]
    registers = [_sheet(school, weeks, calendar) for school in sample]
    nothing_before = np.zeros((SCHOOL_SIZE, 0), dtype=np.uint8)
    seconds = best(lambda: [pupil_year_counts(replace(school), nothing_before, (), DEFAULT_POLICY) for school in registers])
    seconds_per_mark = seconds / sum(np.count_nonzero(school) for school in sample)
    rows = _rows(schools)
    note("the sweep: pandas on the same marks")
    answers = []
    pandas = _per_million_marks(lambda: answers.append(_pandas(rows)), rows)
    note("the sweep: DuckDB on the same marks")
    window, lag = (_per_million_marks(lambda query=query: answers.append(_duckdb(rows, query)), rows) for query in (WINDOW, LAG))
    _check_same_pupils(schools, week_numbers, answers)
    rate = MILLISECONDS * MILLION
    return SweepResult(
        len(schools) * SCHOOL_SIZE,
        marks,
        threshold / marks * rate,
        seconds_per_mark * rate,
        pandas,
        window,
        lag,
    )


def _in_pages(marks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Marks of five days a week, laid out as pages are: fourteen sessions a week."""
    weekly = np.zeros((len(marks), marks.shape[1] // 10, SESSIONS), dtype=np.uint8)
    weekly[:, :, :10] = marks.reshape(len(marks), -1, 10)
    return weekly.reshape(len(marks), -1)


def _sheet(marks: NDArray[np.uint8], weeks: list[date], calendar: Calendar) -> YearRegister:
    dates_of_birth = np.array([date(2011, 1, 1)] * SCHOOL_SIZE, dtype="datetime64[D]")
    joined = np.array([date(2020, 9, 1)] * SCHOOL_SIZE, dtype="datetime64[D]")
    left = np.full(SCHOOL_SIZE, np.datetime64("NaT"), dtype="datetime64[D]")
    blank: list[str | None] = [None] * SCHOOL_SIZE
    ids = [UUID(int=number) for number in range(SCHOOL_SIZE)]
    roll = Roll(UUID(int=1), YEAR, ids, blank, blank, dates_of_birth, joined, left, blank, blank, ["C"] * SCHOOL_SIZE)
    return YearRegister(UUID(int=1), YEAR, tuple(weeks), marks, roll, calendar)


def _rows(schools: list[NDArray[np.uint8]]) -> pd.DataFrame:
    """The same marks as a frame with a row a mark, as pandas and DuckDB work on it."""
    marks = np.concatenate(schools)
    pupils, columns = np.nonzero(marks)
    return pd.DataFrame(
        {"pupil": pupils.astype(np.int32), "week": (columns // SESSIONS).astype(np.int16), "mark": marks[pupils, columns]}
    )


def _per_million_marks(call: Callable[[], object], rows: pd.DataFrame) -> float:
    return best(call, 1) / len(rows) * MILLISECONDS * MILLION


def _pandas(rows: pd.DataFrame) -> set[int]:
    """The usual way: count unauthorised sessions by pupil and week, then sum ten weeks rolling."""
    by_week = (rows["mark"] // 32 == UNAUTHORISED).groupby([rows["pupil"], rows["week"]]).sum()
    ten_weeks = by_week.groupby(level="pupil").rolling(10, min_periods=1).sum()
    return set(ten_weeks[ten_weeks >= vectorised.THRESHOLD].index.get_level_values(0).tolist())


WINDOW = """
SELECT DISTINCT pupil FROM (
  SELECT pupil, sum(n) OVER (PARTITION BY pupil ORDER BY week RANGE BETWEEN 9 PRECEDING AND CURRENT ROW) AS ten
  FROM (SELECT pupil, week, count(*) FILTER (mark // 32 = 4) AS n FROM marks GROUP BY pupil, week))
WHERE ten >= 10
"""
LAG = """
SELECT DISTINCT pupil FROM (
  SELECT pupil, week - lag(week, 9) OVER (PARTITION BY pupil ORDER BY week) AS apart FROM marks WHERE mark // 32 = 4)
WHERE apart < 10
"""


def _duckdb(rows: pd.DataFrame, query: str) -> set[int]:
    connection = duckdb.connect(config={"threads": 2})
    connection.register("marks", rows)
    pupils = {pupil for (pupil,) in connection.execute(query).fetchall()}
    connection.close()
    return pupils


def _check_same_pupils(schools: list[NDArray[np.uint8]], week_numbers: NDArray[np.int64], answers: list[set[int]]) -> None:
    """Fail unless every way names the same pupils: a fast wrong answer is no measurement."""
    bests = np.concatenate([vectorised.threshold(school, week_numbers).best for school in schools])
    expected = set(np.flatnonzero(bests >= vectorised.THRESHOLD).tolist())
    if any(answer != expected for answer in answers):
        message = "The sweep, pandas and DuckDB do not name the same pupils."
        raise RuntimeError(message)
