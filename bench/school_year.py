"""A school year from CSV to applied, beside a raw COPY of the same text and the usual script into a row a mark."""

from __future__ import annotations

import io
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import psycopg

import migrations
from bench.ground import YEAR, add_school, best, calendar, register, upn
from portal.registers.queries import sheet
from portal.rules.codes import BY_BYTE, CODES
from portal.uploads.actions import take
from portal.uploads.queries import upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from uuid import UUID

    from numpy.typing import NDArray

    from bench.ground import Ground

DAYS = 190
HEADINGS = "UPN,Date,Session,Code\n"
KILOBYTE, MEGABYTE = 1024, 1_000_000


@dataclass(frozen=True)
class SchoolYear:
    """Seconds for each way of taking the same file in, and the memory ours took above what the program held before."""

    rows: int
    megabytes: float
    ours: float
    floor: float
    usual: float
    by_to_sql: float
    again: float
    memory: float
    child_memory: float
    schools: tuple[UUID, ...]
    days: tuple[date, ...]


def csv_of(school: int, marks: NDArray[np.uint8], days: tuple[date, ...]) -> bytes:
    """A long CSV, a row a mark, in the order a school's system writes it: pupil by pupil."""
    letters = np.array([BY_BYTE[byte].letters if byte in BY_BYTE else "" for byte in range(256)], dtype=object)
    slots = [f",{on:%d/%m/%Y},{half}," for on in days for half in ("AM", "PM")]
    lines = []
    for place, row in enumerate(letters[marks]):
        name = upn(school, place)
        lines += [f"{name}{slot}{code}\n" for slot, code in zip(slots, row.tolist(), strict=True)]
    return (HEADINGS + "".join(lines)).encode()


def measured(where: Ground, pupils: int, repeats: int, note: Callable[[str], None]) -> SchoolYear:
    """Take a year of one school in, each way; ours into a school of its own each time, because the same file twice is less work."""
    note("a school year: making the files")
    schools = [add_school(where, number, pupils) for number in range(1, repeats + 1)]
    days = calendar(where, schools[0]).school_days()[:DAYS]
    files = [csv_of(number, register(pupils, 2 * len(days), number), days) for number in range(1, repeats + 1)]
    note("a school year: raw COPY, then ours, then the usual script")
    floor = best(lambda: _raw_copy(where, files[0]))
    before = _forgotten_peak()
    seconds = [_taken(where, school_id, content) for school_id, content in zip(schools, files, strict=True)]
    ours_peak = _status("VmHWM")
    child_memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KILOBYTE / MEGABYTE
    floor = min(floor, best(lambda: _raw_copy(where, files[0])))
    again = _taken(where, schools[0], files[0])
    usual = best(lambda: _usual(where, schools[0], files[0], _copied), 2)
    note("a school year: the usual script with to_sql")
    by_to_sql = best(lambda: _usual(where, schools[0], files[0], _by_to_sql), 1)
    rows, size = pupils * 2 * len(days), len(files[0]) / MEGABYTE
    return SchoolYear(
        rows, size, min(seconds), floor, usual, by_to_sql, again, ours_peak - before, child_memory, tuple(schools), days
    )


def _forgotten_peak() -> float:
    """Let the kernel forget this process's peak of memory; what it holds now, in megabytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * KILOBYTE / MEGABYTE


def _taken(where: Ground, school_id: UUID, content: bytes) -> float:
    """Seconds from the bytes to the commit: received, read in a child, checked, rehearsed, written, counted, audited."""
    begun = time.perf_counter()
    with where.work():
        upload_id = take(school_id, kind="marks", file_name="year.csv", content=content)
    seconds = time.perf_counter() - begun
    with where.work():
        row = upload(upload_id)
        if row is None or row.state != "applied" or row.rows_refused:
            message = f"The file was not applied whole: {row and row.state}, {row and row.rows_refused} rows refused"
            raise RuntimeError(message)
    return seconds


def _raw_copy(where: Ground, content: bytes) -> None:
    """The floor: the text as it is into an unlogged table of text, nothing checked."""
    with psycopg.connect(where.server.url("portal_owner")) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_marks")
        connection.execute("CREATE UNLOGGED TABLE raw_marks (upn text, on_day text, session text, code text)")
        with connection.cursor().copy("COPY raw_marks FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(content)


def _usual(where: Ground, school_id: UUID, content: bytes, written: Callable[[Ground, pd.DataFrame], None]) -> None:
    """The usual script: read_csv, merges, checks, and the rows written into a table with its key and an index."""
    with where.work():
        year = sheet(school_id, YEAR)
    marks = pd.read_csv(io.BytesIO(content), dtype=str)
    marks["Date"] = pd.to_datetime(marks["Date"], format="%d/%m/%Y")
    roll = pd.DataFrame({"UPN": year.roll.upn, "pupil_id": range(len(year.roll)), "joined": year.roll.on_from})
    met = pd.DataFrame({"Date": pd.to_datetime(list(year.calendar.school_days())), "met": True})
    codes = pd.DataFrame([(code.letters, int(code.category)) for code in CODES], columns=["Code", "category"])
    found = marks.merge(roll, on="UPN", how="left").merge(met, on="Date", how="left").merge(codes, on="Code", how="left")
    bad = found["pupil_id"].isna() | found["met"].isna() | found["category"].isna() | (found["joined"] > found["Date"])
    good = found[~bad & ~found.duplicated(["UPN", "Date", "Session"], keep=False)]
    with psycopg.connect(where.server.url("portal_owner")) as connection:
        connection.execute("DROP TABLE IF EXISTS usual_mark")
        connection.execute(
            "CREATE TABLE usual_mark (pupil_id int, on_day date, session text, code text, category int, "
            "PRIMARY KEY (pupil_id, on_day, session))"
        )
        connection.execute("CREATE INDEX ON usual_mark (on_day)")
    names = {"Date": "on_day", "Session": "session", "Code": "code"}
    written(where, good[["pupil_id", "Date", "Session", "Code", "category"]].rename(columns=names))


def _copied(where: Ground, marks: pd.DataFrame) -> None:
    """The quickest way a script has: the frame as text, by COPY."""
    text = marks.to_csv(index=False, header=False, date_format="%Y-%m-%d")
    copying = "COPY usual_mark FROM STDIN (FORMAT csv)"
    with psycopg.connect(where.server.url("portal_owner")) as connection, connection.cursor().copy(copying) as copy:
        copy.write(text)


def _by_to_sql(where: Ground, marks: pd.DataFrame) -> None:
    """The way most scripts take."""
    engine = migrations.owner_engine(where.server.url("portal_owner"))
    marks.to_sql("usual_mark", engine, if_exists="append", index=False, chunksize=10_000)
    engine.dispose()
