"""Checks of a release before it is believed: the identities every published row obeys, and totals no country could have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from portal.benchmarks.domain import periods
from portal.benchmarks.domain.figures import ACCREDITED, AUTHORITY, DAILY, NATIONAL, PHASES, TERM, WEEK, WEIGHTED
from portal.benchmarks.domain.tables import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Whole = parts, row by row, without exception in every file of the daily series (643 rows and 2.4 billion sessions
#: of 2025/26 among them). Source: Department for Education, Pupil attendance in schools, data guidance.
_EQUAL: Sequence[tuple[str, tuple[str, ...]]] = (
    ("possible", ("attendance", "absence")),
    ("attendance", ("present", "approved")),
    ("absence", ("authorised", "unauthorised")),
    ("present", ("code /", "code \\", "code L")),
    ("approved", ("code B", "code J", "code P", "code V", "code W", "code K")),
    ("unauthorised", ("code G", "code U", "code O", "code N")),
    ("late", ("code L", "code U")),
)
_ITEMISED = ("code I", "code M", "code R", "code S", "code T", "code H", "code E", "code C", "code C1", "code C2", "code J1")

#: Codes that a year's file may leave out: K, C1, C2 and J1 came in August 2024, and J went.
_MAY_BE_AWAY = frozenset({"code K", "code J", "code C1", "code C2", "code J1", "code H", "code F"})

#: The counts every row is made of.
COUNTED = ("possible", "attendance", "absence", "present", "approved", "authorised", "unauthorised", "late")

_MOST_A_WEEK = 12.0
_MOST_A_YEAR = 500.0
_DOUBLED = 1.08
_APART = 0.10
_NEARLY_ALL_AUTHORITIES = 140
_POINTS = 0.05


def problems(frame: pd.DataFrame, series: str) -> list[Problem]:
    """What in these rows cannot be so. `frame` is as `reading` makes it: one row a figure, index = row in the file."""
    found = [*_impossible_totals(frame, series), *_identities(frame, series), *_duplicates(frame), *_rates_that_disagree(frame)]
    return found or [*_sums_apart(frame)]


def _identities(frame: pd.DataFrame, series: str) -> Iterator[Problem]:
    for whole, parts in _EQUAL if series == DAILY else (_EQUAL[2],):
        there = [part for part in parts if part in frame]
        if whole in frame and set(parts) - set(there) <= _MAY_BE_AWAY and there:
            gap = frame[whole] - frame[there].sum(axis=1, skipna=False)
            yield from _rows(frame, gap.ne(0) & gap.notna(), whole, f"is not the sum of {_listed(there)}")
    for total, listed in (("authorised", _ITEMISED), ("unauthorised", _EQUAL[5][1])):
        there = [part for part in listed if part in frame]
        if there and total in frame:
            over = frame[there].sum(axis=1, min_count=1) > frame[total]
            yield from _rows(frame, over, total, "is less than the sum of its reasons")
    for less, more in (("absence", "possible"), ("sa_count", "pa_count"), ("pa_count", "enrolments")):
        if less in frame and more in frame:
            yield from _rows(frame, (frame[less] > frame[more]), less, f"is more than {_word(more)}")


def _duplicates(frame: pd.DataFrame) -> Iterator[Problem]:
    key = ["level", "geography", "phase", "period_kind", "academic_year", "week", "term"]
    again = frame.duplicated(key)
    names = frame["geography_name"] + ", " + frame["phase"].map(PHASES)
    for row in frame.index[again][:20]:
        yield Problem(
            f"{names[row]}: the same place, phase and period is in an earlier row. "
            "If a column divides the figures, load the totals only.",
            int(row),
        )


def _rates_that_disagree(frame: pd.DataFrame) -> Iterator[Problem]:
    """A percentage beside counts it does not follow from means columns out of step, or figures that are not real."""
    if "rate absence" in frame:
        published = pd.to_numeric(frame["rate absence"], errors="coerce")
        ours = 100 * frame["absence"] / frame["possible"]
        apart = ((published - ours).abs() > _POINTS) & (frame["total_basis"] != WEIGHTED)
        yield from _rows(frame, apart, "absence", "does not give the percentage published beside it")


def _impossible_totals(frame: pd.DataFrame, series: str) -> Iterator[Problem]:
    """Made-up and doubled files: more sessions for each pupil than schools were open for."""
    each = frame["possible"] / frame["enrolments"]
    week = frame["period_kind"] == WEEK
    over = each > week.map({True: _MOST_A_WEEK, False: _MOST_A_YEAR})
    if series == DAILY:
        spans = frame.loc[(frame["level"] == NATIONAL) & ~week, ["first_day", "last_day"]].dropna()
        for (first, last), rows in spans.groupby(["first_day", "last_day"]):
            most = 2 * periods.school_days(first, last) * _DOUBLED
            over.loc[rows.index] = each.loc[rows.index] > most
    sentence = "sessions are more than the pupils on roll could have had: the file holds test figures or counts some rows twice"
    yield from _rows(frame, over, "possible", sentence)


def _sums_apart(frame: pd.DataFrame) -> Iterator[Problem]:
    """England against the sum of its authorities: they differ by a few per cent at most, in every real file."""
    key = ["phase", "period_kind", "academic_year", "week", "term"]
    # Words, because a missing week or term would match nothing.
    keyed = frame[["level", "possible"]].join(frame[key].astype(str).fillna(""))
    sums = keyed[keyed["level"] == AUTHORITY].groupby(key)["possible"].agg(["sum", "count"])
    england = keyed[keyed["level"] == NATIONAL].set_index(key)["possible"]
    both = sums.join(england.rename("england"), how="inner")
    apart = both[(both["count"] >= _NEARLY_ALL_AUTHORITIES) & ((both["sum"] / both["england"] - 1).abs() > _APART)]
    for (phase, *_), row in apart.to_dict("index").items():
        yield Problem(
            f"{PHASES[phase].capitalize()}: England has {row['england']:,.0f} possible sessions and its authorities together "
            f"{row['sum']:,.0f}. The file counts some rows twice or leaves some out."
        )


def _rows(frame: pd.DataFrame, wrong: pd.Series[bool], column: str, sentence: str) -> Iterator[Problem]:
    rows = frame.index[wrong.to_numpy(dtype=bool, na_value=False)]
    for row in rows[:20]:
        yield Problem(sentence, int(row), _word(column), f"{frame.loc[row, column]:,.0f}")


def _word(column: str) -> str:
    words = {
        "possible": "possible sessions",
        "attendance": "overall attendance",
        "absence": "overall absence",
        "late": "late sessions",
    }
    words |= {"authorised": "authorised absence", "unauthorised": "unauthorised absence", "present": "present sessions"}
    words |= {"approved": "approved educational activity", "pa_count": "persistently absent", "sa_count": "severely absent"}
    return words.get(column, column)


def _listed(parts: Sequence[str]) -> str:
    named = [_word(part).removeprefix("code ") for part in parts]
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]


def restated_term(frame: pd.DataFrame, series: str) -> pd.Series[bool]:
    """Rows whose persistent absence is last year's left in place: summer 2024/25 of the daily series (23.98 for 21.9)."""
    return (frame["period_kind"] == TERM) & (frame["academic_year"] == 2024) & (frame["term"] == "Summer") & (series != ACCREDITED)
