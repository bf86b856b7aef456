"""Compulsory school age at both ends, and a pupil's age at the start of an academic year.

Education Act 1996, section 8, and the Education (Start of Compulsory School Age) Order 1998 (SI 1998/1607): from the
first 31 August, 31 December or 31 March on or after the fifth birthday. Section 8(4) and the Education (School Leaving
Date) Order 1997 (SI 1997/1970): to the last Friday in June of the school year of the sixteenth birthday. The last
Friday itself is inside unless the authority's solicitor settles otherwise.
"""

from __future__ import annotations

from datetime import date, timedelta

from portal.rules.calendar import Span, academic_year

#: The birthdays that decide the start and the end.
START_BIRTHDAY = 5
LEAVING_BIRTHDAY = 16
#: The prescribed days, in the order in which they fall in a calendar year.
PRESCRIBED_DAYS = ((3, 31), (8, 31), (12, 31))
FRIDAY = 4


def birthday(dob: date, age: int) -> date:
    """The day on which a child reaches an age.

    A child born on 29 February reaches it on 1 March in other years. For compulsory school age the choice makes no
    difference, because 31 March is the next prescribed day.
    """
    try:
        return dob.replace(year=dob.year + age)
    except ValueError:
        return date(dob.year + age, 3, 1)


def last_friday_in_june(year: int) -> date:
    """The school leaving date of the school year that ends in that year."""
    last_day = date(year, 6, 30)
    return last_day - timedelta(days=(last_day.weekday() - FRIDAY) % 7)


def compulsory_school_age(dob: date, *, last_friday_inside: bool = True) -> Span:
    """The days on which a child is of compulsory school age, the first and the last included.

    With `last_friday_inside` false, the last day is the day before the last Friday in June.
    """
    fifth = birthday(dob, START_BIRTHDAY)
    first_day = next(on for on in (date(fifth.year, month, day) for month, day in PRESCRIBED_DAYS) if on >= fifth)
    leaving_date = last_friday_in_june(academic_year(birthday(dob, LEAVING_BIRTHDAY)) + 1)
    return Span(first_day, leaving_date if last_friday_inside else leaving_date - timedelta(days=1))


def is_compulsory_school_age(dob: date, on: date, *, last_friday_inside: bool = True) -> bool:
    """Whether a child is of compulsory school age on a day."""
    return compulsory_school_age(dob, last_friday_inside=last_friday_inside).covers(on)


def age_on(dob: date, on: date) -> int:
    """A person's age in whole years on a day. Never negative for a day on or after the date of birth."""
    return on.year - dob.year - ((on.month, on.day) < (dob.month, dob.day))


def age_at_start(dob: date, academic_year: int) -> int:
    """A pupil's age in whole years on 31 August before the academic year, as DfE's statistics use it.

    For 2025 (the year 2025/26) the day is 31 August 2025.
    """
    return age_on(dob, date(academic_year, 8, 31))
