"""Bank holidays and working days in England: a dated table, and the law's own rules outside its years.

Banking and Financial Dealings Act 1971, Schedule 1 (Easter Monday, the last Mondays in May and August, 26 December,
and 27 December when Christmas falls on a weekend) and section 1(3), royal proclamations (New Year's Day, early May,
substitute days, single occasions). Good Friday and Christmas Day are common-law holidays. A proclamation can change
any year, so the table is checked against the list published on GOV.UK before a year is relied on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from portal.rules.calendar import SATURDAY

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "Banking and Financial Dealings Act 1971, Schedule 1 and section 1, and royal proclamations"
#: To add a year: add its row to `_TABLE` from the list on GOV.UK, and any single occasion to `OCCASIONS`.
FIRST_YEAR = 2018
LAST_YEAR = 2030

#: Year by year, (month, day) in order: 1 January, Good Friday, Easter Monday, early May, spring, summer, Christmas,
#: 26 December, each on its own day or its substitute day, and single occasions.
_TABLE: Mapping[int, tuple[tuple[int, int], ...]] = MappingProxyType(
    {
        2018: ((1, 1), (3, 30), (4, 2), (5, 7), (5, 28), (8, 27), (12, 25), (12, 26)),
        2019: ((1, 1), (4, 19), (4, 22), (5, 6), (5, 27), (8, 26), (12, 25), (12, 26)),
        2020: ((1, 1), (4, 10), (4, 13), (5, 8), (5, 25), (8, 31), (12, 25), (12, 28)),
        2021: ((1, 1), (4, 2), (4, 5), (5, 3), (5, 31), (8, 30), (12, 27), (12, 28)),
        2022: ((1, 3), (4, 15), (4, 18), (5, 2), (6, 2), (6, 3), (8, 29), (9, 19), (12, 26), (12, 27)),
        2023: ((1, 2), (4, 7), (4, 10), (5, 1), (5, 8), (5, 29), (8, 28), (12, 25), (12, 26)),
        2024: ((1, 1), (3, 29), (4, 1), (5, 6), (5, 27), (8, 26), (12, 25), (12, 26)),
        2025: ((1, 1), (4, 18), (4, 21), (5, 5), (5, 26), (8, 25), (12, 25), (12, 26)),
        2026: ((1, 1), (4, 3), (4, 6), (5, 4), (5, 25), (8, 31), (12, 25), (12, 28)),
        2027: ((1, 1), (3, 26), (3, 29), (5, 3), (5, 31), (8, 30), (12, 27), (12, 28)),
        2028: ((1, 3), (4, 14), (4, 17), (5, 1), (5, 29), (8, 28), (12, 25), (12, 26)),
        2029: ((1, 1), (3, 30), (4, 2), (5, 7), (5, 28), (8, 27), (12, 25), (12, 26)),
        2030: ((1, 1), (4, 19), (4, 22), (5, 6), (5, 27), (8, 26), (12, 25), (12, 26)),
    }
)
#: The years in the table. Other years are derived from the law alone.
TABLE_YEARS = frozenset(_TABLE)


@dataclass(frozen=True, slots=True)
class Occasion:
    """A proclaimed change to one year: a day added, and the bank holiday it replaced, if any."""

    added: date
    replaced: date | None
    source: str


OCCASIONS: tuple[Occasion, ...] = (
    Occasion(date(1995, 5, 8), date(1995, 5, 1), "Proclamation: fiftieth anniversary of VE Day"),
    Occasion(date(1999, 12, 31), None, "Proclamation: the millennium"),
    Occasion(date(2002, 6, 3), None, "Proclamation: Golden Jubilee"),
    Occasion(date(2002, 6, 4), date(2002, 5, 27), "Proclamation: Golden Jubilee; spring bank holiday moved"),
    Occasion(date(2011, 4, 29), None, "Proclamation: royal wedding"),
    Occasion(date(2012, 6, 4), date(2012, 5, 28), "Proclamation: Diamond Jubilee; spring bank holiday moved"),
    Occasion(date(2012, 6, 5), None, "Proclamation: Diamond Jubilee"),
    Occasion(date(2020, 5, 8), date(2020, 5, 4), "Proclamation: seventy-fifth anniversary of VE Day"),
    Occasion(date(2022, 6, 2), date(2022, 5, 30), "Proclamation: Platinum Jubilee; spring bank holiday moved"),
    Occasion(date(2022, 6, 3), None, "Proclamation: Platinum Jubilee"),
    Occasion(date(2022, 9, 19), None, "Proclamation: State Funeral of Queen Elizabeth II"),
    Occasion(date(2023, 5, 8), None, "Proclamation: Coronation of King Charles III"),
)


def easter_sunday(year: int) -> date:
    """Easter Sunday in the Gregorian calendar: the tables of the Calendar (New Style) Act 1750, as arithmetic."""
    # The anonymous Gregorian computus (Meeus, Jones and Butcher). Integer division keeps it exact for every year.
    golden, century, of_century = year % 19, year // 100, year % 100
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    correction = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _first_monday(year: int, month: int) -> date:
    first_of_month = date(year, month, 1)
    return first_of_month + timedelta(days=-first_of_month.weekday() % 7)


def _last_monday(year: int, month: int) -> date:
    # Only asked about May and August, which both have 31 days.
    last_of_month = date(year, month, 31)
    return last_of_month - timedelta(days=last_of_month.weekday())


def _next_free_weekday(on: date, holidays: frozenset[date] = frozenset()) -> date:
    while on.weekday() >= SATURDAY or on in holidays:
        on += timedelta(days=1)
    return on


def _christmas(year: int) -> frozenset[date]:
    # Weekday holidays first, so that a holiday moved off the weekend can't land on one: when 25 December is a Sunday,
    # its substitute is Tuesday 27 December, because Monday 26 December is a holiday itself.
    days = (date(year, 12, 25), date(year, 12, 26))
    holidays = frozenset(on for on in days if on.weekday() < SATURDAY)
    for on in days:
        if on.weekday() >= SATURDAY:
            holidays |= {_next_free_weekday(on, holidays)}
    return holidays


@cache
def derived_bank_holidays(year: int) -> frozenset[date]:
    """A year's bank holidays from the Act, customary proclamations and known occasions, substitute days included."""
    easter = easter_sunday(year)
    ordinary = {
        _next_free_weekday(date(year, 1, 1)),
        easter - timedelta(days=2),
        easter + timedelta(days=1),
        _first_monday(year, 5),
        _last_monday(year, 5),
        _last_monday(year, 8),
        *_christmas(year),
    }
    occasions = [occasion for occasion in OCCASIONS if occasion.added.year == year]
    return frozenset(ordinary - {occasion.replaced for occasion in occasions} | {occasion.added for occasion in occasions})


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """A year's bank holidays in England, substitute days included: from the table, or derived outside it."""
    row = _TABLE.get(year)
    if row is None:
        return derived_bank_holidays(year)
    return frozenset(date(year, month, day) for month, day in row)


def is_bank_holiday(on: date) -> bool:
    """Whether the day is a bank holiday in England, or Good Friday or Christmas Day."""
    # When Christmas Day falls on a weekend the set has only its substitute, but the day itself is still a holiday.
    return on in bank_holidays(on.year) or (on.month, on.day) == (12, 25)


def is_working_day(on: date) -> bool:
    """Whether the day is a working day: not a Saturday, Sunday, Christmas Day, Good Friday or bank holiday."""
    return on.weekday() < SATURDAY and not is_bank_holiday(on)


def working_day_after(on: date, number: int) -> date:
    """The nth working day after a day, not counting that day. Raises ValueError for a number below 1."""
    if number < 1:
        message = "Count at least one working day ahead."
        raise ValueError(message)
    day, remaining = on, number
    while remaining:
        day += timedelta(days=1)
        remaining -= is_working_day(day)
    return day
