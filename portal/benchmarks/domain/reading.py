"""Reads a published file: bytes in, figures or problems out. Numbers never change, and symbols never become 0."""

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
from portal.platform.problems import Problem, ProblemsError
from portal.rules.date_words import date_in_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from portal.benchmarks.domain.layouts import Layout
    from portal.benchmarks.domain.periods import Period

_PERIOD_COLUMNS = ("period_kind", "academic_year", "week", "term", "first_day", "last_day")
#: Beyond this a float no longer holds every whole number, so a count could change.
_LARGEST_EXACT = 2.0**53
_THOUSANDS = r"\d{1,3}(,\d{3})+(\.\d+)?"


@dataclass(frozen=True, slots=True)
class Release:
    """What a file holds. A file with problems is rejected as a whole; `figures` is then what was read so far.

    `figures`: one row a figure, with the row in the file as index; columns level, geography, geography_name, phase,
    period_kind, academic_year, week, term, first_day, last_day, status, total_basis, symbols, the counts, means, `code X` and
    `rate x`.
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
    """A file while it is read: the rows still in it, and the notes and problems so far."""

    layout: Layout
    frame: pd.DataFrame
    headers: dict[str, str]
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, rows: pd.Series[bool], describe: Callable[[str], str], column: str) -> None:
        """Drop rows that are not benchmarks, and note how many of each kind."""
        for value, count in self.frame.loc[rows, column].value_counts().items():
            self.notes.append(f"{count:,} {'row' if count == 1 else 'rows'} left out: {describe(str(value))}.")
        self.frame = self.frame[~rows]

    def add_problems(self, rows: pd.Series[bool], column: str, sentence: str) -> None:
        """Record the rows whose value in a column cannot be read."""
        for row, value in self.frame.loc[rows, column].head(20).items():
            self.problems.append(Problem(sentence, int(str(row)), self.headers.get(column, column), str(value)))


def read_release(content: bytes, *, published_on: date | None = None, name: str = "", data_to: date | None = None) -> Release:
    """Read a data file as published on Explore Education Statistics: daily, weekly, termly or yearly, of any year.

    Without `data_to`, `published_on` and `name` decide where an unfinished year to date ends. Never raises: what is wrong is
    in `problems`, each with its row, column and value, and what to do.
    """
    digest = hashlib.sha256(content).hexdigest()
    try:
        unpacked_content = tables.unpack(content)
        digest = hashlib.sha256(unpacked_content).hexdigest()
        table = tables.read_table(unpacked_content)
        reading, unknown = _recognise(table)
    except ProblemsError as error:
        return Release("unknown", "", digest, 0, 0, pd.DataFrame(), problems=error.problems)
    _read_geography(reading)
    _read_phases(reading)
    _read_numbers(reading)
    _read_periods(reading, _end_of_year(published_on, name, data_to))
    rows = len(table.rows)
    left_out = rows - len(reading.frame)
    if "first_day" in reading.frame:
        _finish(reading)
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
        tuple(reading.problems[: tables.MOST_PROBLEMS]),
    )


def _recognise(table: tables.Table) -> tuple[_Reading, tuple[str, ...]]:
    headers = [layouts.normalised(header) for header in table.header]
    layout = layouts.layout_of(headers)
    if layout is None:
        raise ProblemsError([Problem(_why_unknown(headers))])
    repeated = sorted({header for header in headers if header and headers.count(header) > 1})
    if repeated:
        raise ProblemsError([Problem("is the name of two columns. Load the file as published.", 1, repeated[0])])
    used = layouts.meanings(layout, headers)
    unknown = layouts.unknown_columns(layout, headers)
    columns = dict(zip(headers, zip(*table.rows, strict=True), strict=False))
    values = {used[header]: columns[header] for header in headers if header in used}
    values |= {header: columns[header] for header in headers if header in layouts.BREAKDOWNS and header not in used}
    reading = _Reading(layout, pd.DataFrame(values, index=table.numbers, dtype="str"), {used[header]: header for header in used})
    if "" in headers:
        reading.notes.append("A column without a name was left out.")
    if unknown:
        reading.notes.append(f"Columns not known and not loaded: {', '.join(unknown)}.")
    _check_needed_columns(reading)
    return reading, unknown


def _why_unknown(headers: list[str]) -> str:
    if sum(header.replace(".", "").isdigit() for header in headers) > len(headers) // 3:
        return "The first row holds figures, not column names. Load the file with its column names, as published."
    return (
        "The file is not a data file of Pupil attendance in schools or Pupil absence in schools in England: it has no "
        "columns of possible sessions and overall absence. Load one that counts sessions."
    )


def _check_needed_columns(reading: _Reading) -> None:
    columns = set(reading.frame.columns)
    if "key" not in columns and not {"level", "la_code"} <= columns:
        raise ProblemsError([Problem("The file has no geographic_level and old_la_code columns. Load the file as published.")])
    missing = {"phase", "time_period", "enrolments", "authorised", "unauthorised"} - columns
    if missing:
        raise ProblemsError([Problem(f"The file has no column for {', '.join(sorted(missing))}. Load the file as published.")])


def _read_geography(reading: _Reading) -> None:
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
    names_by_code = {**geography.names(), **geography.REGIONS, ENGLAND: "England"}
    names = frame["geography"].map(names_by_code)
    frame["geography_name"] = names.fillna(frame["la_name"].str.slice(0, 80)) if "la_name" in frame else names
    is_unknown = is_la & (frame["geography"].isna() | frame["geography_name"].isna())
    reading.add_problems(is_unknown, "gss" if "key" in frame else "la_code", "is not the three-digit code of a local authority")
    reading.leave_out(
        is_region & ~frame["geography"].isin(geography.REGIONS.keys()), lambda word: f"part of a region ({word})", "geography"
    )


def _read_phases(reading: _Reading) -> None:
    for column in sorted(layouts.BREAKDOWNS & set(reading.frame.columns)):
        is_part = ~reading.frame[column].str.casefold().isin(layouts.TOTAL_WORDS)
        reading.leave_out(is_part, _not_the_total(column), column)
    phase = reading.frame["phase"].str.casefold().map(layouts.PHASE_BY_PUBLISHED_NAME)
    reading.leave_out(phase.isna(), lambda word: f"“{word}”, a kind of school outside the published figures", "phase")
    reading.frame = reading.frame.assign(phase=phase.dropna())


def _not_the_total(column: str) -> Callable[[str], str]:
    return lambda value: f"{column} “{value}”, not the total"


def _read_numbers(reading: _Reading) -> None:
    """Turn text into numbers and keep symbols separately. A row's status follows from its possible sessions."""
    symbols: dict[str, pd.Series[str]] = {}
    for column in [column for column in reading.frame if _is_number(str(column))]:
        text = reading.frame[column]
        values, symbols[column] = _values_and_symbols(text)
        reading.add_problems(
            values.isna() & symbols[column].isna() | (values.abs() > _LARGEST_EXACT), column, "is not a number, c, x, z or low"
        )
        reading.add_problems(values < 0, column, "is below 0")
        if column.startswith("rate "):
            reading.frame[column] = text.where(symbols[column].isna())
            continue
        if column not in layouts.MEANS:
            reading.add_problems(values % 1 > 0, column, "is not a whole number of sessions or pupils")
        reading.frame[column] = values
    found_symbols = pd.DataFrame(symbols)
    has_symbol = found_symbols.notna().any(axis=1)
    by_row = {
        row: {name: symbol for name, symbol in symbols_by_column.items() if isinstance(symbol, str)}
        for row, symbols_by_column in found_symbols[has_symbol].to_dict("index").items()
    }
    reading.frame["symbols"] = [by_row.get(row, {}) for row in reading.frame.index]
    symbol_of_possible = found_symbols["possible"]
    reading.frame["status"] = (
        symbol_of_possible.map({"c": SUPPRESSED}).fillna(UNAVAILABLE).where(symbol_of_possible.notna(), PUBLISHED)
    )


def _values_and_symbols(text: pd.Series[str]) -> tuple[pd.Series[float], pd.Series[str]]:
    """A column's numbers, and the symbols in place of some. A text that is neither is missing in both."""
    values = pd.to_numeric(text, errors="coerce").astype("float64")
    not_numbers = text[values.isna()]
    with_commas = not_numbers[not_numbers.str.fullmatch(_THOUSANDS)]
    values.loc[with_commas.index] = pd.to_numeric(with_commas.str.replace(",", "")).astype("float64")
    return values, not_numbers.str.casefold().map(layouts.SYMBOLS).reindex(text.index)


def _is_number(column: str) -> bool:
    return column in layouts.COUNTS or column in layouts.MEANS or column == "on time" or column.startswith(("code ", "rate "))


def _end_of_year(published_on: date | None, name: str, data_to: date | None) -> Callable[[Period], tuple[date | None, str]]:
    def end(period: Period) -> tuple[date | None, str]:
        if data_to is not None or published_on is None:
            return data_to, ""
        last, is_whole_year = periods.last_day_of_year_to_date(period.academic_year, published_on=published_on, name=name)
        if is_whole_year:
            return last, ""
        return last, (
            f"The file does not say which day the year to date runs to: taken as {date_in_words(last)}, from the release's "
            "name or publication date. Load it again with the day if it is another."
        )

    return end


def _read_periods(reading: _Reading, end: Callable[[Period], tuple[date | None, str]]) -> None:
    """Read each distinct spelling of a period, once."""
    frame = reading.frame
    if frame.empty:
        return
    columns = [column for column in ("time_period", "time_identifier", "time_frame", "on") if column in frame]
    periods_by_key: dict[tuple[str, ...], tuple[object, ...]] = {}
    keys = list(zip(*(frame[column] for column in columns), strict=True))
    for key in dict.fromkeys(keys):
        try:
            period = _period_of_row(reading, dict(zip(columns, key, strict=True)), end)
        except periods.UnknownPeriodError as error:
            row = int(str(frame.index[keys.index(key)]))
            reading.problems.append(Problem(str(error), row, " and ".join(columns), " ".join(key)))
            return
        periods_by_key[key] = tuple(getattr(period, name.removeprefix("period_")) for name in _PERIOD_COLUMNS)
    by_column = list(zip(*(periods_by_key[key] for key in keys), strict=True))
    for column, period_values in zip(_PERIOD_COLUMNS, by_column, strict=True):
        frame[column] = pd.Series(period_values, index=frame.index, dtype="int64" if column == "academic_year" else "object")


def _period_of_row(reading: _Reading, words: dict[str, str], end: Callable[[Period], tuple[date | None, str]]) -> Period:
    if "on" in words:
        return periods.week_of_day(periods.parse_day(words["on"]))
    written = (words["time_period"], words.get("time_identifier", ""), words.get("time_frame", ""))
    period = periods.period_of(reading.layout.series, *written)
    if period.kind != YEAR_TO_DATE or period.last_day is not None:
        return period
    last, note = end(period)
    if note and note not in reading.notes:
        reading.notes.append(note)
    return periods.period_of(reading.layout.series, *written, data_to=last)


def _finish(reading: _Reading) -> None:
    frame = reading.frame
    weighted = (frame["phase"] == TOTAL) & (frame["academic_year"] < FIRST_SUMMED_YEAR) & (reading.layout.series == DAILY)
    frame["total_basis"] = weighted.map({True: WEIGHTED, False: SUMMED})
    if "on" in frame:
        pooled, notes = daily_to_weekly.weeks(frame)
        frame = reading.frame = pooled
        reading.notes.extend(notes)
    reading.problems[:0] = checks.problems(frame, reading.layout.series)
    is_repeated = checks.repeats_last_year(frame, reading.layout.series)
    if is_repeated.any() and "rate persistent" in frame:
        frame.loc[is_repeated, "rate persistent"] = None
        reading.notes.append("Persistent absence for summer 2024/25 is left out: the file repeats the year before's.")
