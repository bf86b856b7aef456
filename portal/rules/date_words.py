"""Dates in words, as GOV.UK writes them. The one place that does: every page, file, letter and answer takes them from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

# The day is written with `.day`, because strftime's %d would write 05 for the fifth.


def date_in_words(on: date) -> str:
    """A date: 19 September 2025."""
    return f"{on.day} {on:%B %Y}"


def date_without_year(on: date) -> str:
    """A date where the year is known: 19 September."""
    return f"{on.day} {on:%B}"


def weekday_and_date(on: date) -> str:
    """A date with its weekday: Friday 19 September 2025."""
    return f"{on:%A} {date_in_words(on)}"


def weekday_without_year(on: date) -> str:
    """A date with its weekday where the year is known: Friday 19 September."""
    return f"{on:%A} {date_without_year(on)}"


def short_date(on: date) -> str:
    """A date for tables: 19 Sep 2025."""
    return f"{on.day} {on:%b %Y}"


def short_date_without_year(on: date) -> str:
    """A date for the heads of narrow columns: 19 Sep."""
    return f"{on.day} {on:%b}"


def short_month(on: date) -> str:
    """The month of a date, shortened: Sep."""
    return f"{on:%b}"


def dates_in_words(first: date, last: date) -> str:
    """Two dates, with a month and a year they share said once: 3 to 7 November 2025."""
    if first.year != last.year:
        return f"{date_in_words(first)} to {date_in_words(last)}"
    start = str(first.day) if first.month == last.month else date_without_year(first)
    return f"{start} to {date_in_words(last)}"
