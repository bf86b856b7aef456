"""Daily files pooled into weeks: sums of sessions over the days there, as the published weekly figures are made."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from portal.benchmarks.domain import layouts, periods
from portal.benchmarks.domain.figures import PUBLISHED

if TYPE_CHECKING:
    import pandas as pd

#: Days left out of every published figure. Source: Department for Education, Pupil attendance in schools, methodology.
CLOSED_DAYS = {date(2022, 9, 19): "the state funeral of Queen Elizabeth II"}


def weeks(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """One row a place, phase and week from rows of days: counts summed, schools and enrolments averaged over the days.

    A week with a suppressed day is suppressed. First and last day are those the file has. Notes say what was left out.
    """
    days = frame["on"].map({text: periods.day(text) for text in frame["on"].unique()})
    closed = days.isin(CLOSED_DAYS.keys())
    notes = [f"{int(closed.sum()):,} rows left out: {on.day} {on:%B %Y}, {why}." for on, why in CLOSED_DAYS.items() if closed.any()]
    open_days = frame.assign(on=days)[~closed]
    key = ["level", "geography", "phase", "period_kind", "academic_year", "week"]
    groups = open_days.groupby(key, sort=False)
    counts = [one for one in frame if one in layouts.COUNTS or str(one).startswith("code ")]
    means = [one for one in layouts.MEANS if one in frame]
    first = open_days.drop_duplicates(key).drop(columns=[one for one in frame if str(one).startswith("rate ")]).copy()
    for columns, how in ((counts, "sum"), (means, "mean")):
        whole = groups[columns].transform("count").eq(groups["on"].transform("size"), axis=0)
        first[columns] = groups[columns].transform(how).where(whole)
    first["first_day"], first["last_day"] = groups["on"].transform("min"), groups["on"].transform("max")
    hidden = open_days[open_days["status"] != PUBLISHED].set_index(key)["status"].to_dict()
    keys = list(zip(*(first[one] for one in key), strict=True))
    first["status"] = [hidden.get(one, PUBLISHED) for one in keys]
    notes.append("A daily file: its days are added up into weeks, each over the days the file has.")
    return first.drop(columns="on"), notes
