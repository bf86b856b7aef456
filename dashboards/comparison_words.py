"""The finding of a comparison in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.rules.date_words import date_without_year
from portal.rules.session_counts import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from fractions import Fraction

    from dashboards.comparison import Row


def sentence(
    school: Fraction | None,
    common: tuple[Fraction | None, Fraction | None],
    rows: Sequence[Row],
    phase_words: str,
    name: str,
) -> str:
    """The finding: the year to date, the gap to the LA average, and how the gap has moved.

    `name` says what `school` measures. `common` holds the school's rate and the average over the weeks that both have.
    """
    school_in_common, authority = common
    if school is None:
        return "There are no marks for this year yet."
    year_to_date = f"{name} is {rounded(school, 1)}%"
    if school_in_common is None or authority is None:
        return f"{year_to_date}. The LA average is not shown, because too few schools of its phase have sent marks."
    period = "" if school_in_common == school else " in the weeks both have"
    gap = gap_words(gap_between(school_in_common, authority))
    return f"{year_to_date}: {gap} the LA average for {phase_words}{period}.{_movement(rows)}"


def formatted_rate(rate: Fraction | None) -> str | None:
    """A rate as pages show it, with one decimal place. None where there is none."""
    return f"{rounded(rate, 1)}%" if rate is not None else None


def gap_between(school: Fraction, average: Fraction) -> Decimal:
    """The school's rate less the average, in percentage points: the difference of the figures as pages show them."""
    return rounded(school, 1) - rounded(average, 1)


def gap_words(gap: Decimal) -> str:
    """A gap in words: "2.1 percentage points above", "the same as"."""
    if gap == 0:
        return "the same as"
    return f"{_points(gap)} {'above' if gap > 0 else 'below'}"


def _points(gap: Decimal) -> str:
    return f"{abs(gap)} percentage {'point' if abs(gap) == 1 else 'points'}"


def _movement(rows: Sequence[Row], weeks: int = 4) -> str:
    """The newest week's gap, and how it has moved in so many school weeks.

    Empty while there are too few weeks.
    """
    gaps = [
        (row.week, gap_between(row.school, row.authority)) for row in rows if row.school is not None and row.authority is not None
    ]
    if len(gaps) <= weeks:
        return ""
    (week, gap), (_, earlier_gap) = gaps[-1], gaps[-1 - weeks]
    week_words = f" In the week of {date_without_year(week)} it was {gap_words(gap).removesuffix(' as')}."
    return f"{week_words} Over four school weeks, {movement_words(earlier_gap, gap)}."


def movement_words(earlier: Decimal, now: Decimal) -> str:
    """How a gap has moved. Both sides are named where it crosses over."""
    if earlier == now:
        return "the gap has not changed"
    if earlier * now < 0 or earlier == 0:
        return f"it went from {gap_words(earlier).removesuffix(' as')} to {gap_words(now)}"
    if now == 0:
        return f"the gap of {_points(earlier)} has closed"
    return f"the gap has {'widened' if abs(now) > abs(earlier) else 'narrowed'} from {abs(earlier)} to {_points(now)}"
