"""The period of a published row: week, term, year to date or year, and its days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from portal.benchmarks.domain.figures import ACCREDITED, DAILY, TERM, WEEK, YEAR, YEAR_TO_DATE
from portal.rules.bank_holidays import easter_sunday
from portal.rules.calendar import register_year

if TYPE_CHECKING:
    from collections.abc import Mapping

#: First and last day of the daily series in each academic year (the first days of September are left out because of
#: phased starts). Source: Department for Education, Pupil attendance in schools, methodology.
DAILY_YEARS: Mapping[int, tuple[date, date]] = {
    2022: (date(2022, 9, 12), date(2023, 7, 28)),
    2023: (date(2023, 9, 11), date(2024, 7, 19)),
    2024: (date(2024, 9, 9), date(2025, 7, 25)),
    2025: (date(2025, 9, 8), date(2026, 7, 20)),
}

#: Last day of autumn, first and last of spring, first and last of summer in the daily series. Same source.
DAILY_TERMS: Mapping[int, tuple[date, date, date, date, date]] = {
    2022: (date(2022, 12, 16), date(2023, 1, 3), date(2023, 3, 31), date(2023, 4, 1), date(2023, 7, 21)),
    2023: (date(2023, 12, 15), date(2024, 1, 2), date(2024, 3, 31), date(2024, 4, 1), date(2024, 7, 19)),
    2024: (date(2024, 12, 21), date(2025, 1, 6), date(2025, 4, 12), date(2025, 4, 14), date(2025, 7, 25)),
    2025: (date(2025, 12, 21), date(2026, 1, 4), date(2026, 4, 12), date(2026, 4, 13), date(2026, 7, 20)),
}

TERMS = ("Autumn", "Spring", "Summer", "Autumn and spring")

#: The daily series is published on a Thursday, thirteen days after the Friday its figures run to.
PUBLICATION_DELAY = timedelta(days=13)

_FIRST_AUTUMN_WEEK = 31  # a week with this number or a higher one is in autumn
_ACADEMIC_YEAR = re.compile(r"^(20\d\d)[/-]?(?:20)?(\d\d)$")
_CALENDAR_YEAR = re.compile(r"^20\d\d$")
_WEEK = re.compile(r"^week\s*(\d{1,2})$")
_NAMED_WEEK = re.compile(r"(?:week\W*(\d{1,2})\W+(20\d\d))|(?:(20\d\d)\W+week\W*(\d{1,2}))", re.IGNORECASE)
_DATE_FORMS = (
    re.compile(r"^(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)(?:[T ].*)?$"),
    re.compile(r"^(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})$"),
)


class UnknownPeriodError(ValueError):
    """A row's period is written in an unknown form. The message says what was expected."""


@dataclass(frozen=True, slots=True)
class Period:
    """One period: its kind, academic year (2025 for 2025/26), week (a Monday) or term, and days."""

    kind: str
    academic_year: int
    week: date | None
    term: str | None
    first_day: date | None
    last_day: date | None


def parse_day(text: str) -> date:
    """A date written as 2025-09-08, 2025-09-08T00:00:00.000Z or 08/09/2025.

    Raises:
        UnknownPeriodError: when it is written otherwise or is no date.
    """
    for pattern in _DATE_FORMS:
        match = pattern.match(text)
        if match:
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError as error:
                raise UnknownPeriodError("is not a date") from error
    raise UnknownPeriodError("is not a date such as 2025-09-08 or 08/09/2025")


def period_of(series: str, time_period: str, identifier: str, frame: str = "", *, data_to: date | None = None) -> Period:
    """The period of a row, from its `time_period`, `time_identifier` and, where the file has one, `time_frame`.

    `data_to` is the last day of an unfinished year to date, which the file itself does not say.

    Raises:
        UnknownPeriodError: when the words are not those of a published file.
    """
    words = identifier.casefold()
    week = _WEEK.match(words)
    if week:
        monday = _monday(time_period, int(week[1]))
        if "year to date" in frame.casefold():
            return _year_to_date(register_year(monday), monday + timedelta(days=4))
        return Period(WEEK, register_year(monday), monday, None, monday, monday + timedelta(days=4))
    year = _year(time_period)
    if "five half terms" in words:
        raise UnknownPeriodError("counts five half terms, an older series that is not comparable: load six half terms")
    term = words.removesuffix("s").removesuffix(" term").strip().capitalize()
    if term in TERMS:
        first, last = _term_days(series, year, term)
        return Period(TERM, year, None, term, first, last)
    if words in {"academic year", "six half terms", "year to date", ""}:
        if series == DAILY:
            return _year_to_date(year, data_to)
        return Period(YEAR, year, None, None, date(year, 8, 1), date(year + 1, 7, 31))
    raise UnknownPeriodError("is not a week (Week 37), a term (Autumn term) or a year (Academic year)")


def week_of_day(on: date) -> Period:
    """The week a day of a daily file belongs to."""
    monday = on - timedelta(days=on.weekday())
    return Period(WEEK, register_year(monday), monday, None, monday, monday + timedelta(days=4))


def last_day_of_year_to_date(academic_year: int, *, published_on: date, name: str = "") -> tuple[date, bool]:
    """The last day of a year to date when nobody has said it.

    Returns also whether that is the end of the year. It is the year's end if the year was over when published; otherwise
    the Friday of the week the release is named after, or the Friday thirteen days before publication.
    """
    end = DAILY_YEARS.get(academic_year, (date(academic_year, 9, 1), date(academic_year + 1, 7, 21)))[1]
    name_match = _NAMED_WEEK.search(name)
    if name_match:
        year, week = (name_match[2], name_match[1]) if name_match[1] else (name_match[3], name_match[4])
        try:
            friday = date.fromisocalendar(int(year), int(week), 5)
        except ValueError:
            friday = _friday_before(published_on)
    else:
        friday = _friday_before(published_on)
    is_over = end <= max(friday, published_on - PUBLICATION_DELAY)
    return (end, True) if is_over else (friday, False)


def first_day(academic_year: int) -> date:
    """The first day of the daily series in a year.

    Without a published one it is the second Monday of September.
    """
    if academic_year in DAILY_YEARS:
        return DAILY_YEARS[academic_year][0]
    first = date(academic_year, 9, 1)
    return first + timedelta(days=(7 - first.weekday()) % 7 + 7)


def school_days(first: date, last: date) -> int:
    """About how many days schools met between two days of one daily-series year.

    These are weekdays in term, less the half terms and two weeks at Easter that have passed. It is right to a few days, which
    is enough to tell doubled figures from real ones.
    """
    days = sum(1 for on in _days_between(first, last) if on.weekday() < 5)  # Monday to Friday
    year = register_year(first)
    breaks = (
        (date(year, 10, 27), 5),
        (date(year, 12, 22), 10),
        (date(year + 1, 2, 16), 5),
        (easter_sunday(year + 1), 10),
        (date(year + 1, 5, 25), 6),
    )
    return max(
        1,
        days
        - sum(
            days_lost
            for first_day_of_break, days_lost in breaks
            if first <= first_day_of_break and first_day_of_break + timedelta(days=6) <= last
        ),
    )


def _days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def _friday_before(published_on: date) -> date:
    friday = published_on - PUBLICATION_DELAY
    return friday - timedelta(days=(friday.weekday() - 4) % 7)


def _year(time_period: str) -> int:
    match = _ACADEMIC_YEAR.match(time_period)
    if match and (int(match[1]) + 1) % 100 == int(match[2]):
        return int(match[1])
    raise UnknownPeriodError("is not an academic year such as 202526 or 2025/26")


def _monday(time_period: str, week: int) -> date:
    if _CALENDAR_YEAR.match(time_period):
        year = int(time_period)
    else:
        year = _year(time_period)
        year += week < _FIRST_AUTUMN_WEEK
    try:
        return date.fromisocalendar(year, week, 1)
    except ValueError as error:
        raise UnknownPeriodError(f"is not a week of {year}") from error


def _year_to_date(academic_year: int, last: date | None) -> Period:
    return Period(YEAR_TO_DATE, academic_year, None, None, first_day(academic_year), last)


def _term_days(series: str, year: int, term: str) -> tuple[date | None, date | None]:
    if series == ACCREDITED:
        easter = easter_sunday(year + 1)
        return {
            "Autumn": (date(year, 8, 1), date(year, 12, 31)),
            "Spring": (date(year + 1, 1, 1), easter),
            "Summer": (easter + timedelta(days=1), date(year + 1, 7, 31)),
            "Autumn and spring": (date(year, 8, 1), easter),
        }[term]
    if year not in DAILY_TERMS:
        return None, None
    autumn_end, spring_start, spring_end, summer_start, summer_end = DAILY_TERMS[year]
    return {
        "Autumn": (first_day(year), autumn_end),
        "Spring": (spring_start, spring_end),
        "Summer": (summer_start, summer_end),
        "Autumn and spring": (first_day(year), spring_end),
    }[term]
