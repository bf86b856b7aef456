"""A school's year imported from CSV, beside a raw COPY of the text and the usual pandas script."""

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
from bench.database import YEAR, add_school, best, calendar, register, upn
from portal.registers.queries import year_register
from portal.rules.codes import CODES, CODES_BY_BYTE
from portal.uploads.actions import import_file
from portal.uploads.queries import upload

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from uuid import UUID

    from numpy.typing import NDArray

    from bench.database import BenchDatabase

DAYS = 190
HEADER = "UPN,Date,Session,Code\n"
KILOBYTE, MEGABYTE = 1024, 1_000_000


@dataclass(frozen=True)
class SchoolYear:
    """Seconds for each way of importing the same file, and the extra memory the portal's import needed."""

    rows: int
    megabytes: float
    imported: float
    floor: float
    usual: float
    by_to_sql: float
    sent_again: float
    memory: float
    child_memory: float
    schools: tuple[UUID, ...]
    days: tuple[date, ...]


def csv_of(school: int, marks: NDArray[np.uint8], days: tuple[date, ...]) -> bytes:
    """A long CSV, a row a mark, in the order a school's system writes it: pupil by pupil."""
    codes = np.array([CODES_BY_BYTE[byte].letters if byte in CODES_BY_BYTE else "" for byte in range(256)], dtype=object)
    slots = [f",{day:%d/%m/%Y},{half}," for day in days for half in ("AM", "PM")]
    lines = []
    for index, row in enumerate(codes[marks]):
        pupil_upn = upn(school, index)
        lines += [f"{pupil_upn}{slot}{code}\n" for slot, code in zip(slots, row.tolist(), strict=True)]
    return (HEADER + "".join(lines)).encode()


def measured(bench: BenchDatabase, pupils: int, repeats: int, note: Callable[[str], None]) -> SchoolYear:
    """Import a school's year each way.

    The portal imports each file into another school: the second time the same file changes nothing, which is less work.
    """
    note("a school year: making the files")
    schools = [add_school(bench, number, pupils) for number in range(1, repeats + 1)]
    days = calendar(bench, schools[0]).school_days()[:DAYS]
    files = [csv_of(number, register(pupils, 2 * len(days), number), days) for number in range(1, repeats + 1)]
    note("a school year: raw COPY, then the portal's import, then the usual script")
    floor = best(lambda: _raw_copy(bench, files[0]))
    memory_before = _reset_peak_memory()
    seconds = [_import_seconds(bench, school_id, content) for school_id, content in zip(schools, files, strict=True)]
    peak = _process_megabytes("VmHWM")
    child_memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KILOBYTE / MEGABYTE
    floor = min(floor, best(lambda: _raw_copy(bench, files[0])))
    sent_again = _import_seconds(bench, schools[0], files[0])
    usual = best(lambda: _usual_script(bench, schools[0], files[0], _write_by_copy), 2)
    note("a school year: the usual script with to_sql")
    by_to_sql = best(lambda: _usual_script(bench, schools[0], files[0], _write_by_to_sql), 1)
    rows, size = pupils * 2 * len(days), len(files[0]) / MEGABYTE
    return SchoolYear(
        rows, size, min(seconds), floor, usual, by_to_sql, sent_again, peak - memory_before, child_memory, tuple(schools), days
    )


def _reset_peak_memory() -> float:
    """Let the kernel forget this process's peak of memory; what it holds now, in megabytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _process_megabytes("VmRSS")


def _process_megabytes(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * KILOBYTE / MEGABYTE


def _import_seconds(bench: BenchDatabase, school_id: UUID, content: bytes) -> float:
    """Seconds from the bytes to the commit: received, read in a child, checked, rehearsed, written, counted, audited."""
    started = time.perf_counter()
    with bench.work():
        upload_id = import_file(school_id, kind="marks", file_name="year.csv", content=content)
    seconds = time.perf_counter() - started
    with bench.work():
        row = upload(upload_id)
        if row is None or row.state != "applied" or row.rows_rejected:
            message = f"The file was not applied whole: {row and row.state}, {row and row.rows_rejected} rows refused"
            raise RuntimeError(message)
    return seconds


def _raw_copy(bench: BenchDatabase, content: bytes) -> None:
    """The floor: the text as it is into an unlogged table of text, nothing checked."""
    with psycopg.connect(bench.server.url("portal_owner")) as connection:
        connection.execute("DROP TABLE IF EXISTS raw_marks")
        connection.execute("CREATE UNLOGGED TABLE raw_marks (upn text, on_day text, session text, code text)")
        with connection.cursor().copy("COPY raw_marks FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(content)


def _usual_script(
    bench: BenchDatabase, school_id: UUID, content: bytes, write: Callable[[BenchDatabase, pd.DataFrame], None]
) -> None:
    """The usual script: read_csv, merges, checks, and the rows written to an indexed table."""
    with bench.work():
        year = year_register(school_id, YEAR)
    marks = pd.read_csv(io.BytesIO(content), dtype=str)
    marks["Date"] = pd.to_datetime(marks["Date"], format="%d/%m/%Y")
    roll = pd.DataFrame({"UPN": year.roll.upn, "pupil_id": range(len(year.roll)), "joined": year.roll.on_from})
    school_days = pd.DataFrame({"Date": pd.to_datetime(list(year.calendar.school_days())), "met": True})
    codes = pd.DataFrame([(code.letters, int(code.category)) for code in CODES], columns=["Code", "category"])
    joined = marks.merge(roll, on="UPN", how="left").merge(school_days, on="Date", how="left").merge(codes, on="Code", how="left")
    is_bad = joined["pupil_id"].isna() | joined["met"].isna() | joined["category"].isna() | (joined["joined"] > joined["Date"])
    good = joined[~is_bad & ~joined.duplicated(["UPN", "Date", "Session"], keep=False)]
    with psycopg.connect(bench.server.url("portal_owner")) as connection:
        connection.execute("DROP TABLE IF EXISTS usual_mark")
        connection.execute(
            "CREATE TABLE usual_mark (pupil_id int, on_day date, session text, code text, category int, "
            "PRIMARY KEY (pupil_id, on_day, session))"
        )
        connection.execute("CREATE INDEX ON usual_mark (on_day)")
    names = {"Date": "on_day", "Session": "session", "Code": "code"}
    write(bench, good[["pupil_id", "Date", "Session", "Code", "category"]].rename(columns=names))


def _write_by_copy(bench: BenchDatabase, marks: pd.DataFrame) -> None:
    """The quickest way a script has: the frame as text, by COPY."""
    text = marks.to_csv(index=False, header=False, date_format="%Y-%m-%d")
    copying = "COPY usual_mark FROM STDIN (FORMAT csv)"
    with psycopg.connect(bench.server.url("portal_owner")) as connection, connection.cursor().copy(copying) as copy:
        copy.write(text)


def _write_by_to_sql(bench: BenchDatabase, marks: pd.DataFrame) -> None:
    """The way most scripts take."""
    engine = migrations.owner_engine(bench.server.url("portal_owner"))
    marks.to_sql("usual_mark", engine, if_exists="append", index=False, chunksize=10_000)
    engine.dispose()
