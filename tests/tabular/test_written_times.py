"""Times written after a date: the day in London, in every zone, form and season."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.platform.clock import LONDON
from portal.tabular.written_times import NearMidnightError, day_in_london, split_time
from portal.uploads.domain.reading.parsing import Dates

MONDAY = date(2026, 9, 7)
FIRST, LAST = (datetime.combine(date(year, 1, 1), time()) for year in (2000, 2060))
ZONES = [timezone(timedelta(minutes=minutes)) for minutes in (-300, -60, 0, 60, 90, 330)]


def day_of(text: str) -> date | None:
    return Dates([text])[text]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-09-06T23:00:00.000Z", MONDAY),
        ("2026-09-06T23:00:00+00:00", MONDAY),
        ("2026-09-06 23:00 UTC", MONDAY),
        ("2026-09-07T00:00:00+01:00", MONDAY),
        ("2026-09-07T00:00:00+0100", MONDAY),
        ("2026-09-07T00:00:00", MONDAY),
        ("2026-09-07 00:00:00.000000 Europe/London", MONDAY),
        ("2026-09-06T18:00:00-05:00", MONDAY),
        ("07/09/2026 08:45", MONDAY),
        ("7 Sep 2026 8:45 am", MONDAY),
        ("07/09/2026 12:00:00 AM", MONDAY),
        ("Mon 07/09/2026 13:10", MONDAY),
        ("2026-09-06T23:59:59.9", MONDAY),
        ("06/09/2026 23:59:45", MONDAY),
        ("46271.99999", MONDAY),
        ("2026-12-06T23:00:00Z", None),
        ("2026-09-06T22:30:00Z", None),
        ("2026-09-07T23:00:00", None),
        ("07/09/2026 11:30 PM", None),
        ("2026-09-07T25:00:00", None),
        ("2026-09-07T08:61", None),
        ("07/09/2026 13:00 PM", None),
        ("2026-09-07T08:00 Mars/Base", None),
        ("07/09/0026", None),
        ("0026-09-07", None),
        ("07/09/26", MONDAY),
    ],
)
def test_a_written_day(text: str, day: date | None) -> None:
    assert day_of(text) == day


@given(
    st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.sampled_from(ZONES)),
    st.sampled_from(["T", " "]),
)
def test_an_instant_is_its_day_in_london_or_refused(moment: datetime, between: str) -> None:
    moment = moment.replace(microsecond=0)
    text = moment.isoformat(between)
    in_london = moment.astimezone(LONDON)
    day = day_of(text)
    if in_london.hour == 23:
        assert day in {None, in_london.date() + timedelta(days=1)}
    else:
        assert day == in_london.date()
    assert day_of(moment.astimezone(UTC).isoformat().replace("+00:00", "Z")) == day


@given(st.text(max_size=80))
def test_no_text_is_a_surprise(text: str) -> None:
    before, written = split_time(text)
    assert text.startswith(before)
    if written is not None:
        try:
            assert abs((day_in_london(MONDAY, written) - MONDAY).days) <= 2
        except (NearMidnightError, ValueError):
            return


def _reading_of(*column: str) -> tuple[set[date | None], set[str | None]]:
    dates = Dates(column)
    dates.compare_forms(column)
    return {dates[text] for text in column}, {problem.kind for problem in dates.problems()}


def test_dates_of_which_a_spreadsheet_swapped_some_are_refused() -> None:
    for column in (("2026-09-10", "13/10/2026"), ("10/13/2026", "2026-10-09 00:00:00"), ("14/09/26", "2026-12-09", "2026-11-09")):
        assert _reading_of(*column)[0] == {None}


def test_two_ways_of_writing_dates_in_a_column_are_a_warning() -> None:
    days, kinds = _reading_of("2026-09-14", "15/09/2026")
    assert (days, kinds) == ({date(2026, 9, 14), date(2026, 9, 15)}, {"mixed-dates"})
    assert _reading_of("2026-09-14", "2026-09-15")[1] == _reading_of("14/09/2026", "15/09/2026")[1] == set()
