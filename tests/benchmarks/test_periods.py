"""Periods: the days of weeks, terms and years, and the end of a year to date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.benchmarks.domain import periods
from portal.benchmarks.domain.figures import ACCREDITED, DAILY, TERM, YEAR, YEAR_TO_DATE


@pytest.mark.parametrize("text", ["2022-09-14", "2022-09-14T00:00:00.000Z", "14/09/2022", "2022-09-14 00:00:00"])
def test_every_form_of_a_date_gives_the_same_day(text: str) -> None:
    """Day first when written with strokes, as in England."""
    assert periods.parse_day(text) == date(2022, 9, 14)


@pytest.mark.parametrize("text", ["", "14-09-2022", "2022-13-01", "31/02/2022", "44818"])
def test_a_text_that_is_no_date_is_rejected(text: str) -> None:
    """A date is never guessed."""
    with pytest.raises(periods.UnknownPeriodError, match="is not a date"):
        periods.parse_day(text)


@pytest.mark.parametrize(
    ("year", "first", "last"),
    [
        (2022, date(2022, 9, 12), date(2023, 7, 28)),
        (2023, date(2023, 9, 11), date(2024, 7, 19)),
        (2024, date(2024, 9, 9), date(2025, 7, 25)),
    ],
)
def test_a_finished_year_to_date_runs_to_the_years_end(year: int, first: date, last: date) -> None:
    """From the second week of September to the series' last day."""
    last_day, is_whole_year = periods.last_day_of_year_to_date(year, published_on=last.replace(month=8, day=20))
    assert (last_day, is_whole_year) == (last, True)
    period = periods.period_of(DAILY, f"{year}{(year + 1) % 100}", "Academic year", data_to=last_day)
    assert (period.kind, period.first_day, period.last_day) == (YEAR_TO_DATE, first, last)


@pytest.mark.parametrize(
    ("published_on", "name", "last"),
    [
        (date(2026, 7, 23), "", date(2026, 7, 10)),
        (date(2025, 11, 20), "", date(2025, 11, 7)),
        (date(2025, 9, 25), "", date(2025, 9, 12)),
        (date(2025, 12, 18), "Pupil attendance in schools, week 49 2025", date(2025, 12, 5)),
        (date(2026, 7, 23), "2026-week-28", date(2026, 7, 10)),
    ],
)
def test_an_unfinished_year_to_date_runs_to_its_named_week_or_thirteen_days_before(
    published_on: date, name: str, last: date
) -> None:
    """A Thursday's figures run to the Friday thirteen days before; a week in the name says it."""
    assert periods.last_day_of_year_to_date(2025, published_on=published_on, name=name) == (last, False)


def test_an_unknown_year_begins_on_the_second_monday_of_september() -> None:
    """Every year so far has begun then."""
    assert periods.first_day(2026) == date(2026, 9, 14)
    assert [periods.first_day(year) for year in periods.DAILY_YEARS] == [first for first, _ in periods.DAILY_YEARS.values()]


@pytest.mark.parametrize("year", list(periods.DAILY_YEARS))
def test_the_rule_of_the_second_monday_gives_every_published_start(year: int) -> None:
    """The fallback, tried on the years that are known."""
    september = [date(year, 9, day) for day in range(8, 15)]
    assert next(on for on in september if on.weekday() == 0) == periods.DAILY_YEARS[year][0]


def test_accredited_terms_end_at_new_year_and_easter() -> None:
    """Census windows: 1 August to 31 December, to Easter Sunday, to 31 July."""
    terms = [periods.period_of(ACCREDITED, "202425", f"{name} term") for name in ("Autumn", "Spring", "Summer")]
    assert [(term.first_day, term.last_day) for term in terms] == [
        (date(2024, 8, 1), date(2024, 12, 31)),
        (date(2025, 1, 1), date(2025, 4, 20)),
        (date(2025, 4, 21), date(2025, 7, 31)),
    ]
    assert periods.period_of(ACCREDITED, "2015/16", "Six half terms").kind == YEAR


def test_daily_terms_have_the_series_own_days() -> None:
    """Autumn 2025: 8 September to 21 December."""
    autumn = periods.period_of(DAILY, "202526", "Autumn term")
    assert (autumn.kind, autumn.term, autumn.first_day, autumn.last_day) == (TERM, "Autumn", date(2025, 9, 8), date(2025, 12, 21))
    two_terms = periods.period_of(DAILY, "202526", "Autumn and spring terms")
    assert (two_terms.term, two_terms.last_day) == ("Autumn and spring", date(2026, 4, 12))


@pytest.mark.parametrize("written", ["2025", "202527", "2025-27", "last year"])
def test_an_academic_year_names_two_consecutive_years(written: str) -> None:
    """202527 is a typing error."""
    with pytest.raises(periods.UnknownPeriodError, match="is not an academic year"):
        periods.period_of(DAILY, written, "Academic year")


@given(st.dates(date(2015, 1, 1), date(2040, 1, 1)))
def test_every_day_is_in_its_week_and_the_weeks_year(on: date) -> None:
    """Monday to Friday around the day; the academic year turns with the week that has September in it."""
    week = periods.week_of_day(on)
    assert week.week is not None
    assert week.week.weekday() == 0
    assert 0 <= (on - week.week).days <= 6
    written = week.week.isocalendar()
    assert periods.period_of(DAILY, str(written[0]), f"Week {written[1]}") == week


def test_school_days_of_whole_years_are_near_the_statutory_190() -> None:
    """Less the first days of September: 180 to 190."""
    assert all(178 <= periods.school_days(*span) <= 195 for span in periods.DAILY_YEARS.values())


@given(st.text(max_size=12), st.text(max_size=20), st.text(max_size=12))
def test_any_text_is_read_or_rejected(time_period: str, identifier: str, frame: str) -> None:
    """No other exception is raised."""
    for series in (DAILY, ACCREDITED):
        try:
            periods.period_of(series, time_period, identifier, frame)
        except periods.UnknownPeriodError:
            continue
