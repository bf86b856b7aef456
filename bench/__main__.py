"""`./run bench`: measure, print the table, and write it to docs/performance.md."""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time
from pathlib import Path

from bench import county, reading, report, school_year, sweeping, trust
from bench.database import bench_database

PERFORMANCE_PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> None:
    """Run every measurement, one after the other."""
    options = _arguments()
    # As a worker does, so that both spend the same time on garbage collection.
    gc.freeze()
    started = time.monotonic()

    def note(step: str) -> None:
        sys.stderr.write(f"{time.monotonic() - started:6.1f} s  {step}\n")
        sys.stderr.flush()

    with bench_database() as bench:
        year = school_year.measured(bench, options.pupils, 3, note)
        size = (options.schools, options.school_pupils, options.pupils)
        county_result = county.measured(bench, year.schools, year.days, size, note)
        trust_result = trust.measured(bench, schools=options.county_schools, pupils=options.county_pupils, note=note)
        reading_result = reading.measured(bench, note)
    sweep_result = sweeping.measured(options.sweep_pupils, note)
    cores = len(os.sched_getaffinity(0))
    machine = f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"
    text = report.document(year, county_result, trust_result, sweep_result, reading_result, machine=machine)
    sys.stdout.write(text)
    if not options.no_write:
        PERFORMANCE_PAGE.write_text(text, encoding="utf-8")
        note(f"written to {PERFORMANCE_PAGE}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure speed and size in one run, as ratios.")
    parser.add_argument("--pupils", type=int, default=1_500, help="pupils in the school whose year is taken in")
    parser.add_argument("--schools", type=int, default=40, help="schools in the county on the database")
    parser.add_argument("--school-pupils", type=int, default=400, help="pupils in each of the county's other schools")
    parser.add_argument("--county-schools", type=int, default=600, help="schools of the county in which a trust has 30")
    parser.add_argument("--county-pupils", type=int, default=140_000, help="pupils of that county")
    parser.add_argument("--sweep-pupils", type=int, default=250_000, help="pupils of the county swept in memory")
    parser.add_argument("--no-write", action="store_true", help="print the table and leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
