"""Pools daily files into weeks, as published weekly figures are made: sums over the days in the file."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from portal.benchmarks.domain import layouts, periods
from portal.benchmarks.domain.figures import PUBLISHED
from portal.rules.date_words import date_in_words

if TYPE_CHECKING:
    import pandas as pd

#: Days left out of every published figure. Source: Department for Education, Pupil attendance in schools, methodology.
CLOSED_DAYS = {date(2022, 9, 19): "the state funeral of Queen Elizabeth II"}


def weeks(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Rows of weeks by place and phase from rows of days, and notes on what was left out.

    Counts are summed; schools and enrolments are averaged over the days. A week with a suppressed day is suppressed. First
    and last day are those the file has.
    """
    days = frame["on"].map({text: periods.parse_day(text) for text in frame["on"].unique()})
    is_closed = days.isin(CLOSED_DAYS.keys())
    notes = [
        f"{int(is_closed.sum()):,} rows left out: {date_in_words(on)}, {why}." for on, why in CLOSED_DAYS.items() if is_closed.any()
    ]
    open_days = frame.assign(on=days)[~is_closed]
    key = ["level", "geography", "phase", "period_kind", "academic_year", "week"]
    groups = open_days.groupby(key, sort=False)
    counts = [column for column in frame if column in layouts.COUNTS or str(column).startswith("code ")]
    means = [column for column in layouts.MEANS if column in frame]
    pooled = open_days.drop_duplicates(key).drop(columns=[column for column in frame if str(column).startswith("rate ")]).copy()
    for columns, function in ((counts, "sum"), (means, "mean")):
        # A sum skips gaps: a count that one day lacks would come out too small, so it is missing for the week.
        is_complete = groups[columns].transform("count").eq(groups["on"].transform("size"), axis=0)
        pooled[columns] = groups[columns].transform(function).where(is_complete)
    pooled["first_day"], pooled["last_day"] = groups["on"].transform("min"), groups["on"].transform("max")
    other_statuses = open_days[open_days["status"] != PUBLISHED].set_index(key)["status"].to_dict()
    keys = list(zip(*(pooled[column] for column in key), strict=True))
    pooled["status"] = [other_statuses.get(row_key, PUBLISHED) for row_key in keys]
    notes.append("A daily file: its days are added up into weeks, each over the days the file has.")
    return pooled.drop(columns="on"), notes
