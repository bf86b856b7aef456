"""The table that a run prints and docs/performance.md holds: each measurement beside its goal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.county import County
    from bench.reading import Reading
    from bench.school_year import SchoolYear
    from bench.sweeping import SweepResult
    from bench.trust import TrustLists

HEAD = """# Performance

Written by `./run bench`: one run, one machine, everything measured side by side. Ratios carry from one machine to
another; milliseconds do not. PostgreSQL is the embedded one, durable (every commit waits for the disk).

"""

#: The goals, as the portal was asked to meet them.
FLOOR, USUAL, WEEK, ONCE, DAILY, THRESHOLD, STANDINGS, PANDAS, TRUST, READS = 1.0, 10.0, 50.0, 0.5, 1.5, 4.0, 12.0, 100.0, 3.0, 4.0


def document(year: SchoolYear, county: County, trust: TrustLists, sweep: SweepResult, reading: Reading, *, machine: str) -> str:
    """The page docs/performance.md, in Markdown."""
    rows = [*_year_rows(year), *_county_rows(county), *_trust_rows(trust), *_sweep_rows(sweep), *_reading_rows(reading)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in [("What", "Measured", "Goal", "Met"), ("---",) * 4, *rows])
    return f"{HEAD}Measured on {machine}.\n\n{table}\n\n{_explanation(year, county, sweep)}"


def _yes_or_no(is_met: object) -> str:
    return "yes" if is_met else "no"


def _reading_rows(reading: Reading) -> list[tuple[str, str, str, str]]:
    pages, commits = reading.pages, reading.commits
    ratio = commits.in_log / commits.in_chain
    return [
        (
            "Fifty people opening pupils' records at once: each read in the log ÷ in the chain, recording alone",
            f"{ratio:.1f} ({commits.in_log:,.0f} a second ÷ {commits.in_chain:,.0f})",
            "4 or more",
            _yes_or_no(ratio >= READS),
        ),
        (
            "The same with the page's query in Python, clients and server sharing the cores",
            f"{pages.in_log / pages.in_chain:.1f} ({pages.in_log:,.0f} a second ÷ {pages.in_chain:,.0f})",
            "–",
            "–",
        ),
    ]


def _year_rows(year: SchoolYear) -> list[tuple[str, str, str, str]]:
    floor, usual, by_to_sql = year.imported / year.floor, year.usual / year.imported, year.by_to_sql / year.imported
    return [
        (
            f"A school year ({year.rows:,} marks, {year.megabytes:.0f} MB of CSV) to applied ÷ raw COPY of the text",
            f"{floor:.2f} ({year.imported * 1000:.0f} ms ÷ {year.floor * 1000:.0f} ms)",
            "under 1",
            _yes_or_no(floor < FLOOR),
        ),
        (
            "The usual script into a row a mark, by pandas' own `to_sql` ÷ the portal's import",
            f"{by_to_sql:.1f} ({year.by_to_sql * 1000:.0f} ms)",
            "10 or more",
            _yes_or_no(by_to_sql >= USUAL),
        ),
        (
            "The same script with a COPY in place of `to_sql` ÷ the portal's import",
            f"{usual:.1f} ({year.usual * 1000:.0f} ms)",
            "–",
            "–",
        ),
        ("The same year sent again ÷ raw COPY", f"{year.sent_again / year.floor:.2f} ({year.sent_again * 1000:.0f} ms)", "–", "–"),
        (
            "Peak memory above what the program held, parent; reading child in all",
            f"{year.memory:.0f} MB; {year.child_memory:.0f} MB",
            "–",
            "–",
        ),
    ]


def _county_rows(county: County) -> list[tuple[str, str, str, str]]:
    before, after = county.before, county.after
    growth, mark_ratio = f"{before.schools} → {after.schools} schools", after.marks / before.marks
    return [
        (
            f"One school's week written, with its totals, {growth}",
            f"{before.week_written:.0f} → {after.week_written:.0f} ms",
            "50 ms, whatever the size",
            _yes_or_no(after.week_written <= WEEK),
        ),
        (f"The same week from CSV to applied, {growth}", f"{before.week_from_csv:.0f} → {after.week_from_csv:.0f} ms", "–", "–"),
        (
            "Bytes a mark on disk, one version of every page, index included",
            f"{county.bytes_once:.2f}",
            "under 0.5",
            _yes_or_no(county.bytes_once < ONCE),
        ),
        (
            "Bytes a mark, a version a day and 1% put right later",
            f"{county.bytes_daily:.2f}",
            "under 1.5",
            _yes_or_no(county.bytes_daily < DAILY),
        ),
        ("Bytes a mark, a row a mark with its key and an index", f"{county.row_per_mark:.0f}", "–", "–"),
        (
            f"Overview of every school, marks × {mark_ratio:.1f}",
            f"{before.every_school:.1f} → {after.every_school:.1f} ms",
            "cost independent of marks: grows with schools",
            _yes_or_no(after.every_school < before.every_school * after.schools / before.schools),
        ),
        (
            f"A school's weekly comparison with its authority, marks × {mark_ratio:.1f}",
            f"{before.comparison:.1f} → {after.comparison:.1f} ms",
            "cost independent of marks",
            _yes_or_no(after.comparison < before.comparison * mark_ratio),
        ),
    ]


def _trust_rows(lists: TrustLists) -> list[tuple[str, str, str, str]]:
    county = f"{lists.schools} schools, {lists.pupils:,} pupils"
    return [
        (
            f"A trust's list ÷ the whole authority's, {county}: {name}",
            f"{lists.trust[name] / authority:.2f} ({lists.trust[name]:.1f} ms ÷ {authority:.1f} ms)",
            "under 3",
            _yes_or_no(lists.trust[name] < TRUST * authority),
        )
        for name, authority in lists.authority.items()
    ]


def _sweep_rows(sweep: SweepResult) -> list[tuple[str, str, str, str]]:
    pandas, duckdb = sweep.pandas / sweep.threshold, min(sweep.duckdb_window, sweep.duckdb_lag) / sweep.threshold
    return [
        (
            f"Threshold sweep, {sweep.pupils:,} pupils, {sweep.marks / 1e6:.0f} million marks in memory, ms a million",
            f"{sweep.threshold:.2f}",
            "under 4",
            _yes_or_no(sweep.threshold < THRESHOLD),
        ),
        (
            "pandas `groupby.rolling` ÷ the portal's, same marks",
            f"{pandas:.0f} ({sweep.pandas:.0f} ms a million)",
            "100 or more",
            _yes_or_no(pandas >= PANDAS),
        ),
        (
            "DuckDB ÷ the portal: its fastest query, same marks, two threads",
            f"{duckdb:.1f} (window {sweep.duckdb_window:.1f}, lag {sweep.duckdb_lag:.1f} ms a million)",
            "more than 1",
            _yes_or_no(duckdb > 1),
        ),
        (
            "Totals, about twenty a pupil, ms a million marks",
            f"{sweep.standings:.1f}",
            "under 12",
            _yes_or_no(sweep.standings < STANDINGS),
        ),
    ]


def _explanation(year: SchoolYear, county: County, sweep: SweepResult) -> str:
    pupils = year.rows // (2 * len(year.days))
    return f"""## What is measured

- **A school year**: `uploads.actions.take` from the bytes to the commit: hashed and stored, read in a child process, every check,
  the preview, pages, totals and audit. The best of three schools. The floor is a `COPY` of the same text
  into an unlogged table of text columns, which checks nothing. The usual script is `read_csv`, three merges, checks and
  the frame's own `to_sql` into a table with its key and one index; and the same with a `COPY`, which few scripts use.
- **A week**: {pupils:,} pupils' marks of five days changed and applied five times, the median: once as pages
  (`write_pages`: lock, versions, totals of the week and of the whole year, audit, commit) and once from CSV through
  everything above.
- **Bytes**: `pg_total_relation_size` of the page table before and after, over marks. The row-a-mark table holds the same marks.
- **Overviews**: `registers.overview`, from totals; {county.before.marks:,} marks, then
  {county.after.marks:,}. They grow with schools and weeks, not with marks: a school with ten times the pupils costs the same.
- **A trust's lists**: the number of pupils with a year's summary, the overview, the board of registers received and the
  newest uploads, in a trust's scope of 30 schools and in the whole authority's; the median of fifteen.
- **The sweep**: marks in pages, a thousand lines at a time, in one process. pandas and DuckDB are given
  the same marks, already in memory as columns; every way must name the same pupils, or the run fails. Totals of
  {min(25, sweep.pupils // 1000)},000 pupils.

## Why a school year costs more than a raw COPY

A `COPY` alone reads the text once, on one core, and stores it as it is. The portal reads it in a separate process under
limits (starting, reading and ending take about three quarters of the COPY), stores the received bytes compressed, checks
the marks, works out what would change, and writes versions and totals under row security, durably. Reading
and storing the bytes run side by side; the rest runs after them.
"""
