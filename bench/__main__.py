"""`./run bench`: measure, print the table, and keep it in docs/performance.md."""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import time
from pathlib import Path

from bench import county, report, school_year, sweeping
from bench.ground import ground

KEPT = Path(__file__).parent.parent / "docs" / "performance.md"


def main() -> None:
    """Run every measurement on one server, one after the other."""
    chosen = _arguments()
    gc.freeze()  # As a worker does.
    begun = time.monotonic()

    def note(what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:6.1f} s  {what}\n")
        sys.stderr.flush()

    with ground() as where:
        year = school_year.measured(where, chosen.pupils, 3, note)
        size = (chosen.schools, chosen.school_pupils, chosen.pupils)
        whole = county.measured(where, year.schools, year.days, size, note)
    swept = sweeping.measured(chosen.sweep_pupils, note)
    cores = len(os.sched_getaffinity(0))
    told = report.document(year, whole, swept, machine=f"{cores} cores, {platform.machine()}, Python {platform.python_version()}")
    sys.stdout.write(told)
    if not chosen.no_write:
        KEPT.write_text(told, encoding="utf-8")
        note(f"written to {KEPT}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure speed and size in one run, as ratios.")
    parser.add_argument("--pupils", type=int, default=1_500, help="pupils in the school whose year is taken in")
    parser.add_argument("--schools", type=int, default=40, help="schools in the county on the database")
    parser.add_argument("--school-pupils", type=int, default=400, help="pupils in each of the county's other schools")
    parser.add_argument("--sweep-pupils", type=int, default=250_000, help="pupils of the county swept in memory")
    parser.add_argument("--no-write", action="store_true", help="print the table and leave docs/performance.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
