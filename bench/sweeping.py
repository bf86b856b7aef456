"""The sweep over a county held in memory: the ten-in-ten threshold beside pandas and DuckDB, and the standings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import duckdb
import numpy as np
import pandas as pd

from bench.ground import TERMS, YEAR, best, register
from portal.pupils.rolls import Roll
from portal.registers import sweep
from portal.registers.pages import SESSIONS, UNAUTHORISED
from portal.registers.sheets import Sheet
from portal.registers.tallies import standings
from portal.rules.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MILLION, MILLISECONDS = 1_000_000, 1000
SCHOOL = 1_000
DAYS_A_WEEK = 5


@dataclass(frozen=True)
class Sweep:
    """Milliseconds per million marks for each way, all on the same pupils and marks."""

    pupils: int
    marks: int
    threshold: float
    standings: float
    pandas: float
    duckdb_window: float
    duckdb_lag: float


def measured(pupils: int, note: Callable[[str], None]) -> Sweep:
    """Sweep a county's year. All three ways must name as many pupils on the same marks, or the run fails."""
    note(f"the sweep: {pupils:,} pupils in memory")
    weeks = [TERMS[0][1] + timedelta(weeks=number) for number in range(38)]
    calendar = Calendar.from_terms([(weeks[0], weeks[-1] + timedelta(days=4))])
    schools = [_paged(register(SCHOOL, 38 * 2 * DAYS_A_WEEK, seed)) for seed in range(max(1, pupils // SCHOOL))]
    marks = sum(int(np.count_nonzero(one)) for one in schools)
    places = np.repeat(np.arange(38), SESSIONS)
    threshold = best(lambda: [sweep.threshold(one, places) for one in schools])
    some = schools[: max(1, min(len(schools), 25))]
    sheets = [_sheet(one, weeks, calendar) for one in some]
    nothing_before = np.zeros((SCHOOL, 0), dtype=np.uint8)
    stood = best(lambda: [standings(replace(one), nothing_before, ()) for one in sheets])
    standing = stood / sum(np.count_nonzero(one) for one in some)
    rows = _rows(schools)
    note("the sweep: pandas on the same marks")
    found = []
    pandas = _timed(lambda: found.append(_pandas(rows)), rows)
    note("the sweep: DuckDB on the same marks")
    window, lag = (_timed(lambda ask=ask: found.append(_duckdb(rows, ask)), rows) for ask in (WINDOW, LAG))
    _agree(schools, places, found)
    rate = MILLISECONDS * MILLION
    return Sweep(
        len(schools) * SCHOOL,
        marks,
        threshold / marks * rate,
        standing * rate,
        pandas,
        window,
        lag,
    )


def _paged(marks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Five days a week laid out as pages are: fourteen sessions."""
    weekly = np.zeros((len(marks), marks.shape[1] // 10, SESSIONS), dtype=np.uint8)
    weekly[:, :, :10] = marks.reshape(len(marks), -1, 10)
    return weekly.reshape(len(marks), -1)


def _sheet(marks: NDArray[np.uint8], weeks: list[date], calendar: Calendar) -> Sheet:
    born = np.array([date(2011, 1, 1)] * SCHOOL, dtype="datetime64[D]")
    since = np.array([date(2020, 9, 1)] * SCHOOL, dtype="datetime64[D]")
    until = np.full(SCHOOL, np.datetime64("NaT"), dtype="datetime64[D]")
    blank: list[str | None] = [None] * SCHOOL
    ids = [UUID(int=place) for place in range(SCHOOL)]
    roll = Roll(UUID(int=1), YEAR, ids, blank, blank, born, since, until, blank, blank, ["C"] * SCHOOL)
    return Sheet(UUID(int=1), YEAR, tuple(weeks), marks, roll, calendar)


def _rows(schools: list[NDArray[np.uint8]]) -> pd.DataFrame:
    """The same marks as a frame, a row a mark: what pandas and DuckDB are given, already in memory."""
    whole = np.concatenate(schools)
    line, column = np.nonzero(whole)
    return pd.DataFrame(
        {"pupil": line.astype(np.int32), "week": (column // SESSIONS).astype(np.int16), "mark": whole[line, column]}
    )


def _timed(call: Callable[[], object], rows: pd.DataFrame) -> float:
    return best(call, 1) / len(rows) * MILLISECONDS * MILLION


def _pandas(rows: pd.DataFrame) -> set[int]:
    """The usual way: unauthorised sessions by pupil and week, then a rolling sum of ten weeks within each pupil."""
    counted = (rows["mark"] // 32 == UNAUTHORISED).groupby([rows["pupil"], rows["week"]]).sum()
    ten = counted.groupby(level="pupil").rolling(10, min_periods=1).sum()
    return set(ten[ten >= sweep.THRESHOLD].index.get_level_values(0).tolist())


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


def _duckdb(rows: pd.DataFrame, question: str) -> set[int]:
    connection = duckdb.connect(config={"threads": 2})
    connection.register("marks", rows)
    found = {pupil for (pupil,) in connection.execute(question).fetchall()}
    connection.close()
    return found


def _agree(schools: list[NDArray[np.uint8]], places: NDArray[np.int64], found: list[set[int]]) -> None:
    """A measurement of wrong answers is worth nothing."""
    bests = np.concatenate([sweep.threshold(one, places).best for one in schools])
    met = set(np.flatnonzero(bests >= sweep.THRESHOLD).tolist())
    if any(one != met for one in found):
        message = "The sweep, pandas and DuckDB do not name the same pupils."
        raise RuntimeError(message)
