"""Reading a published file: bytes in, figures or problems out; never a changed number, never a symbol taken for 0."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from portal.benchmarks.domain import checks, daily_to_weekly, geography, layouts, periods, tables
from portal.benchmarks.domain.figures import (
    AUTHORITY,
    DAILY,
    ENGLAND,
    FIRST_SUMMED_YEAR,
    NATIONAL,
    PUBLISHED,
    REGION,
    SUMMED,
    SUPPRESSED,
    TOTAL,
    UNAVAILABLE,
    WEIGHTED,
    YEAR_TO_DATE,
)
from portal.benchmarks.domain.tables import Problem, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from portal.benchmarks.domain.layouts import Layout
    from portal.benchmarks.domain.periods import Period

_PERIOD_COLUMNS = ("period_kind", "academic_year", "week", "term", "first_day", "last_day")
_LARGEST = 2.0**53
_THOUSANDS = r"\d{1,3}(,\d{3})+(\.\d+)?"


@dataclass(frozen=True, slots=True)
class Release:
    """What a file holds. With problems it is refused whole; `figures` is then as far as reading came.

    `figures`: one row a figure, index = row in the file; columns level, geography, geography_name, phase, period_kind,
    academic_year, week, term, first_day, last_day, status, total_basis, symbols, the counts, means, `code X` and `rate x`.
    """

    layout: str
    series: str
    sha256: str
    rows: int
    left_out: int
    figures: pd.DataFrame
    unknown_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Reading:
    """One reading in hand: the rows still in it, and what was noticed on the way."""

    layout: Layout
    frame: pd.DataFrame
    headers: dict[str, str]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, rows: pd.Series[bool], said: Callable[[str], str], column: str) -> None:
        """Drop rows that are not benchmarks, and note how many of which kind."""
        for word, number in self.frame.loc[rows, column].value_counts().items():
            self.notes.append(f"{number:,} {'row' if number == 1 else 'rows'} left out: {said(str(word))}.")
        self.frame = self.frame[~rows]

    def wrong(self, rows: pd.Series[bool], column: str, sentence: str) -> None:
        """Note the rows whose value in a column cannot be read."""
        for row, value in self.frame.loc[rows, column].head(20).items():
            self.problems.append(Problem(sentence, int(str(row)), self.headers.get(column, column), str(value)))


def read_release(content: bytes, *, published_on: date | None = None, name: str = "", data_to: date | None = None) -> Release:
    """Read a data file as published on Explore Education Statistics, whatever its vintage: daily, weekly, termly or yearly.

    `published_on` and `name` tell an unfinished year to date where it ends when `data_to` does not. Never raises: what
    is wrong is in `problems`, each with its row, column and value, and what to do.
    """
    digest = hashlib.sha256(content).hexdigest()
    try:
        plain = tables.unpacked(content)
        digest = hashlib.sha256(plain).hexdigest()
        table = tables.table(plain)
        reading, unknown = _recognised(table)
    except UnreadableError as error:
        return Release("unknown", "", digest, 0, 0, pd.DataFrame(), problems=(error.problem,))
    _places(reading)
    _phases(reading)
    _numbers(reading)
    _periods(reading, _end_of_year(published_on, name, data_to))
    rows = len(table.rows)
    left_out = rows - len(reading.frame)
    if "first_day" in reading.frame:
        _finished(reading)
    if reading.frame.empty and not reading.problems:
        reading.problems.append(Problem("No row is for England, a region or a local authority, by phase: nothing to load."))
    return Release(
        reading.layout.name,
        reading.layout.series,
        digest,
        rows,
        left_out,
        reading.frame,
        unknown,
        tuple(reading.notes),
        tuple(reading.problems[: tables.SHOWN]),
    )


def _recognised(table: tables.Table) -> tuple[_Reading, tuple[str, ...]]:
    headers = [layouts.plain(one) for one in table.header]
    layout = layouts.layout_of(headers)
    if layout is None:
        raise UnreadableError(Problem(_why_not_known(headers)))
    twice = sorted({one for one in headers if one and headers.count(one) > 1})
    if twice:
        raise UnreadableError(Problem("is the name of two columns. Load the file as published.", 1, twice[0]))
    used = layouts.meaning(layout, headers)
    unknown = layouts.unknown(layout, headers)
    columns = dict(zip(headers, zip(*table.rows, strict=True), strict=False))
    kept = {used[one]: columns[one] for one in headers if one in used}
    kept |= {one: columns[one] for one in headers if one in layouts.BREAKDOWNS and one not in used}
    reading = _Reading(layout, pd.DataFrame(kept, index=table.numbers, dtype="str"), {used[one]: one for one in used})
    if "" in headers:
        reading.notes.append("A column without a name was left out.")
    if unknown:
        reading.notes.append(f"Columns not known and not loaded: {', '.join(unknown)}.")
    _needed(reading)
    return reading, unknown


def _why_not_known(headers: list[str]) -> str:
    if sum(one.replace(".", "").isdigit() for one in headers) > len(headers) // 3:
        return "The first row holds figures, not column names. Load the file with its column names, as published."
    return (
        "The file is not a data file of Pupil attendance in schools or Pupil absence in schools in England: it has no "
        "columns of possible sessions and overall absence. Load one that counts sessions."
    )


def _needed(reading: _Reading) -> None:
    has = set(reading.frame.columns)
    if "key" not in has and not {"level", "la_code"} <= has:
        raise UnreadableError(Problem("The file has no geographic_level and old_la_code columns. Load the file as published."))
    lacking = {"phase", "time_period", "enrolments", "authorised", "unauthorised"} - has
    if lacking:
        raise UnreadableError(Problem(f"The file has no column for {', '.join(sorted(lacking))}. Load the file as published."))


def _places(reading: _Reading) -> None:
    frame = reading.frame
    if "key" in frame:
        parts = frame["key"].str.split("|", n=1, expand=True)
        frame["level"], frame["gss"] = parts[0], parts.get(1, "")
        frame["region_code"] = frame["gss"]
    level = frame["level"].str.casefold().map(layouts.LEVELS)
    reading.leave_out(level.isna(), lambda word: f"{word or 'no'} geographic level", "level")
    frame = reading.frame = reading.frame.assign(level=level.dropna())
    code = frame["la_code"] if "la_code" in frame else frame["gss"].map(geography.codes_by_gss())
    code = code.str.replace(r"\.0$", "", regex=True)
    if "la_code" in frame and "gss" in frame:
        code = code.where(code.str.fullmatch(r"\d{3}"), frame["gss"].map(geography.codes_by_gss()))
    is_la, is_region = frame["level"] == AUTHORITY, frame["level"] == REGION
    frame["geography"] = code.where(is_la, frame.get("region_code", "")).mask(frame["level"] == NATIONAL, ENGLAND)
    known = {**geography.names(), **geography.REGIONS, ENGLAND: "England"}
    names = frame["geography"].map(known)
    frame["geography_name"] = names.fillna(frame["la_name"].str.slice(0, 80)) if "la_name" in frame else names
    lost = is_la & (frame["geography"].isna() | frame["geography_name"].isna())
    reading.wrong(lost, "gss" if "key" in frame else "la_code", "is not the three-digit code of a local authority")
    reading.leave_out(
        is_region & ~frame["geography"].isin(geography.REGIONS.keys()), lambda word: f"part of a region ({word})", "geography"
    )


def _phases(reading: _Reading) -> None:
    for column in sorted(layouts.BREAKDOWNS & set(reading.frame.columns)):
        apart = ~reading.frame[column].str.casefold().isin(layouts.TOTAL_WORDS)
        reading.leave_out(apart, lambda word, named=column: f"{named} “{word}”, not the total", column)  # type: ignore[misc]  # a lambda has no types
    phase = reading.frame["phase"].str.casefold().map(layouts.PHASE_WORDS)
    reading.leave_out(phase.isna(), lambda word: f"“{word}”, a kind of school outside the published figures", "phase")
    reading.frame = reading.frame.assign(phase=phase.dropna())


def _numbers(reading: _Reading) -> None:
    """Turn text to numbers, keeping symbols apart; a row's status is what its possible sessions are."""
    symbols: dict[str, pd.Series[str]] = {}
    for column in [one for one in reading.frame if _is_number(str(one))]:
        text = reading.frame[column]
        values, symbols[column] = _values_and_symbols(text)
        reading.wrong(values.isna() & symbols[column].isna() | (values.abs() > _LARGEST), column, "is not a number, c, x, z or low")
        reading.wrong(values < 0, column, "is below 0")
        if column.startswith("rate "):
            reading.frame[column] = text.where(symbols[column].isna())
            continue
        if column not in layouts.MEANS:
            reading.wrong(values % 1 > 0, column, "is not a whole number of sessions or pupils")
        reading.frame[column] = values
    said = pd.DataFrame(symbols)
    marked = said.notna().any(axis=1)
    by_row = {row: {k: v for k, v in one.items() if isinstance(v, str)} for row, one in said[marked].to_dict("index").items()}
    reading.frame["symbols"] = [by_row.get(row, {}) for row in reading.frame.index]
    hidden = said["possible"]
    reading.frame["status"] = hidden.map({"c": SUPPRESSED}).fillna(UNAVAILABLE).where(hidden.notna(), PUBLISHED)


def _values_and_symbols(text: pd.Series[str]) -> tuple[pd.Series[float], pd.Series[str]]:
    """A column's numbers, and the symbols that stand in place of some; what is neither is missing in both."""
    values = pd.to_numeric(text, errors="coerce").astype("float64")
    odd = text[values.isna()]
    grouped = odd[odd.str.fullmatch(_THOUSANDS)]
    values.loc[grouped.index] = pd.to_numeric(grouped.str.replace(",", "")).astype("float64")
    return values, odd.str.casefold().map(layouts.SYMBOLS).reindex(text.index)


def _is_number(column: str) -> bool:
    return column in layouts.COUNTS or column in layouts.MEANS or column == "on time" or column.startswith(("code ", "rate "))


def _end_of_year(published_on: date | None, name: str, data_to: date | None) -> Callable[[Period], tuple[date | None, str]]:
    def end(period: Period) -> tuple[date | None, str]:
        if data_to is not None or published_on is None:
            return data_to, ""
        last, over = periods.data_to(period.academic_year, published_on=published_on, name=name)
        if over:
            return last, ""
        return last, (
            f"The file does not say which day the year to date runs to: taken as {last.day} {last:%B %Y}, from the release's "
            "name or publication date. Load it again with the day if it is another."
        )

    return end


def _periods(reading: _Reading, end: Callable[[Period], tuple[date | None, str]]) -> None:
    """Read each distinct way the file writes a period, once."""
    frame = reading.frame
    if frame.empty:
        return
    written = [one for one in ("time_period", "time_identifier", "time_frame", "on") if one in frame]
    found: dict[tuple[str, ...], tuple[object, ...]] = {}
    keys = list(zip(*(frame[one] for one in written), strict=True))
    for key in dict.fromkeys(keys):
        try:
            period = _period(reading, dict(zip(written, key, strict=True)), end)
        except periods.UnknownPeriodError as error:
            row = int(str(frame.index[keys.index(key)]))
            reading.problems.append(Problem(str(error), row, " and ".join(written), " ".join(key)))
            return
        found[key] = tuple(getattr(period, one.removeprefix("period_")) for one in _PERIOD_COLUMNS)
    values = list(zip(*(found[key] for key in keys), strict=True))
    for column, these in zip(_PERIOD_COLUMNS, values, strict=True):
        frame[column] = pd.Series(these, index=frame.index, dtype="int64" if column == "academic_year" else "object")


def _period(reading: _Reading, words: dict[str, str], end: Callable[[Period], tuple[date | None, str]]) -> Period:
    if "on" in words:
        return periods.week_of_day(periods.day(words["on"]))
    said = (words["time_period"], words.get("time_identifier", ""), words.get("time_frame", ""))
    period = periods.period_of(reading.layout.series, *said)
    if period.kind != YEAR_TO_DATE or period.last_day is not None:
        return period
    last, note = end(period)
    if note and note not in reading.notes:
        reading.notes.append(note)
    return periods.period_of(reading.layout.series, *said, data_to=last)


def _finished(reading: _Reading) -> None:
    frame = reading.frame
    weighted = (frame["phase"] == TOTAL) & (frame["academic_year"] < FIRST_SUMMED_YEAR) & (reading.layout.series == DAILY)
    frame["total_basis"] = weighted.map({True: WEIGHTED, False: SUMMED})
    if "on" in frame:
        pooled, notes = daily_to_weekly.weeks(frame)
        frame = reading.frame = pooled
        reading.notes.extend(notes)
    reading.problems[:0] = checks.problems(frame, reading.layout.series)
    stale = checks.restated_term(frame, reading.layout.series)
    if stale.any() and "rate persistent" in frame:
        frame.loc[stale, "rate persistent"] = None
        reading.notes.append("Persistent absence for summer 2024/25 is left out: the file repeats the year before's.")
