"""Checks of a release before it is loaded: identities that every published row obeys, and impossible totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from portal.benchmarks.domain import periods
from portal.benchmarks.domain.figures import ACCREDITED, AUTHORITY, DAILY, NATIONAL, PHASES, TERM, WEEK, WEIGHTED
from portal.platform.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Each total equals its parts, row by row, without exception in every file of the daily series (643 rows and 2.4 billion sessions
#: of 2025/26 among them). Source: Department for Education, Pupil attendance in schools, data guidance.
_IDENTITIES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("possible", ("attendance", "absence")),
    ("attendance", ("present", "approved")),
    ("absence", ("authorised", "unauthorised")),
    ("present", ("code /", "code \\", "code L")),
    ("approved", ("code B", "code J", "code P", "code V", "code W", "code K")),
    ("unauthorised", ("code G", "code U", "code O", "code N")),
    ("late", ("code L", "code U")),
)
_AUTHORISED_REASONS = (
    "code I",
    "code M",
    "code R",
    "code S",
    "code T",
    "code H",
    "code E",
    "code C",
    "code C1",
    "code C2",
    "code J1",
)

#: Codes that a year's file may leave out: K, C1, C2 and J1 were introduced in August 2024, and J was withdrawn.
_OPTIONAL_CODES = frozenset({"code K", "code J", "code C1", "code C2", "code J1", "code H", "code F"})

#: The counts of sessions in every row.
ROW_COUNTS = ("possible", "attendance", "absence", "present", "approved", "authorised", "unauthorised", "late")

_MOST_SESSIONS_A_WEEK = 12.0
_MOST_SESSIONS_A_YEAR = 500.0
_SCHOOL_DAYS_ALLOWANCE = 1.08
_LARGEST_DIFFERENCE = 0.10
_NEARLY_ALL_AUTHORITIES = 140
_RATE_TOLERANCE = 0.05


def problems(frame: pd.DataFrame, series: str) -> list[Problem]:
    """What cannot be true in these rows.

    `frame` is as `reading` makes it: one row a figure, with the row in the file as index.
    """
    certain = [
        *_impossible_totals(frame, series),
        *_broken_identities(frame, series),
        *_duplicates(frame),
        *_rates_that_disagree(frame),
    ]
    return certain or [*_sums_that_differ(frame)]


def _broken_identities(frame: pd.DataFrame, series: str) -> Iterator[Problem]:
    for total, parts in _IDENTITIES if series == DAILY else (_IDENTITIES[2],):
        columns = [part for part in parts if part in frame]
        if total in frame and set(parts) - set(columns) <= _OPTIONAL_CODES and columns:
            gap = frame[total] - frame[columns].sum(axis=1, skipna=False)
            yield from _problems_in_rows(frame, gap.ne(0) & gap.notna(), total, f"is not the sum of {_list_text(columns)}")
    for total, reasons in (("authorised", _AUTHORISED_REASONS), ("unauthorised", _IDENTITIES[5][1])):
        columns = [part for part in reasons if part in frame]
        if columns and total in frame:
            is_over = frame[columns].sum(axis=1, min_count=1) > frame[total]
            yield from _problems_in_rows(frame, is_over, total, "is less than the sum of its reasons")
    for smaller, larger in (("absence", "possible"), ("sa_count", "pa_count"), ("pa_count", "enrolments")):
        if smaller in frame and larger in frame:
            yield from _problems_in_rows(frame, (frame[smaller] > frame[larger]), smaller, f"is more than {_column_text(larger)}")


def _duplicates(frame: pd.DataFrame) -> Iterator[Problem]:
    key = ["level", "geography", "phase", "period_kind", "academic_year", "week", "term"]
    is_repeated = frame.duplicated(key)
    names = frame["geography_name"] + ", " + frame["phase"].map(PHASES)
    for row in frame.index[is_repeated][:20]:
        yield Problem(
            f"{names[row]}: the same place, phase and period is in an earlier row. "
            "If a column divides the figures, load the totals only.",
            int(row),
        )


def _rates_that_disagree(frame: pd.DataFrame) -> Iterator[Problem]:
    """Percentages that do not follow from the counts beside them.

    Then columns are out of step, or the figures are not real.
    """
    if "rate absence" in frame:
        published = pd.to_numeric(frame["rate absence"], errors="coerce")
        computed = 100 * frame["absence"] / frame["possible"]
        differs = ((published - computed).abs() > _RATE_TOLERANCE) & (frame["total_basis"] != WEIGHTED)
        yield from _problems_in_rows(frame, differs, "absence", "does not give the percentage published beside it")


def _impossible_totals(frame: pd.DataFrame, series: str) -> Iterator[Problem]:
    """Test figures and doubled files: more sessions for each pupil than schools were open for."""
    per_pupil = frame["possible"] / frame["enrolments"]
    is_week = frame["period_kind"] == WEEK
    is_over = per_pupil > is_week.map({True: _MOST_SESSIONS_A_WEEK, False: _MOST_SESSIONS_A_YEAR})
    if series == DAILY:
        spans = frame.loc[(frame["level"] == NATIONAL) & ~is_week, ["first_day", "last_day"]].dropna()
        for (first, last), rows in spans.groupby(["first_day", "last_day"]):
            maximum = 2 * periods.school_days(first, last) * _SCHOOL_DAYS_ALLOWANCE
            is_over.loc[rows.index] = per_pupil.loc[rows.index] > maximum
    sentence = "sessions are more than the pupils on roll could have had: the file holds test figures or counts some rows twice"
    yield from _problems_in_rows(frame, is_over, "possible", sentence)


def _sums_that_differ(frame: pd.DataFrame) -> Iterator[Problem]:
    """England compared with the sum of its authorities. In real files they differ by a few per cent at most."""
    key = ["phase", "period_kind", "academic_year", "week", "term"]
    # The keys become text: a missing week or term equals nothing, not even another missing one, and its rows would be lost.
    keyed = frame[["level", "possible"]].join(frame[key].astype(str).fillna(""))
    sums = keyed[keyed["level"] == AUTHORITY].groupby(key)["possible"].agg(["sum", "count"])
    england = keyed[keyed["level"] == NATIONAL].set_index(key)["possible"]
    compared = sums.join(england.rename("england"), how="inner")
    different = compared[
        (compared["count"] >= _NEARLY_ALL_AUTHORITIES) & ((compared["sum"] / compared["england"] - 1).abs() > _LARGEST_DIFFERENCE)
    ]
    for (phase, *_), row in different.to_dict("index").items():
        yield Problem(
            f"{PHASES[phase].capitalize()}: England has {row['england']:,.0f} possible sessions and its authorities together "
            f"{row['sum']:,.0f}. The file counts some rows twice or leaves some out."
        )


def _problems_in_rows(frame: pd.DataFrame, is_wrong: pd.Series[bool], column: str, sentence: str) -> Iterator[Problem]:
    rows = frame.index[is_wrong.to_numpy(dtype=bool, na_value=False)]
    for row in rows[:20]:
        yield Problem(sentence, int(row), _column_text(column), f"{frame.loc[row, column]:,.0f}")


def _column_text(column: str) -> str:
    words = {
        "possible": "possible sessions",
        "attendance": "overall attendance",
        "absence": "overall absence",
        "late": "late sessions",
    }
    words |= {"authorised": "authorised absence", "unauthorised": "unauthorised absence", "present": "present sessions"}
    words |= {"approved": "approved educational activity", "pa_count": "persistently absent", "sa_count": "severely absent"}
    return words.get(column, column)


def _list_text(parts: Sequence[str]) -> str:
    names = [_column_text(part).removeprefix("code ") for part in parts]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def repeats_last_year(frame: pd.DataFrame, series: str) -> pd.Series[bool]:
    """Rows whose persistent absence repeats the year before's.

    It happened once: summer 2024/25 of the daily series (23.98 for 21.9).
    """
    return (frame["period_kind"] == TERM) & (frame["academic_year"] == 2024) & (frame["term"] == "Summer") & (series != ACCREDITED)
