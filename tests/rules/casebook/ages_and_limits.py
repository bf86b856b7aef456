"""Cases about both ends of compulsory school age, and about the six months for laying an information."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.rules.casebook.building import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Date of birth, first day, last day.
AGES = (
    ("2014-03-10", "2019-03-31", "2030-06-28"),
    ("2010-03-10", "2015-03-31", "2026-06-26"),
    ("2020-10-15", "2025-12-31", "2037-06-26"),
    ("2015-03-31", "2020-03-31", "2031-06-27"),
    ("2015-04-01", "2020-08-31", "2031-06-27"),
    ("2015-08-31", "2020-08-31", "2031-06-27"),
    ("2015-09-01", "2020-12-31", "2032-06-25"),
    ("2015-12-31", "2020-12-31", "2032-06-25"),
    ("2016-01-01", "2021-03-31", "2032-06-25"),
    ("2016-02-29", "2021-03-31", "2032-06-25"),
    ("2012-02-29", "2017-03-31", "2028-06-30"),
    ("2008-09-01", "2013-12-31", "2025-06-27"),
    ("2009-08-31", "2014-08-31", "2025-06-27"),
    ("2009-09-01", "2014-12-31", "2026-06-26"),
    ("2007-11-05", "2012-12-31", "2024-06-28"),
    ("2006-09-15", "2011-12-31", "2023-06-30"),
    ("2013-06-30", "2018-08-31", "2029-06-29"),
    ("2011-01-17", "2016-03-31", "2027-06-25"),
    ("2010-08-31", "2015-08-31", "2026-06-26"),
    ("2010-09-01", "2015-12-31", "2027-06-25"),
)


def ages() -> Iterator[Case]:
    """Each date of birth, with the days around both ends of the age."""
    for dob, first, last in AGES:
        days = [(date.fromisoformat(end) + timedelta(days=offset)).isoformat() for end in (first, last) for offset in (-1, 0, 1)]
        fifth = f"{int(dob[:4]) + 5}-{dob[5:]}".replace("2021-02-29", "2021-03-01").replace("2017-02-29", "2017-03-01")
        answers = [False, True, True, True, True, False, fifth >= first]
        question = {"id": f"C-{dob}", "check": "compulsory_school_age", "date_of_birth": dob, "dates": [*days, fifth]}
        dates = [
            {"date": on, "of_compulsory_school_age": is_of_age} for on, is_of_age in zip(question["dates"], answers, strict=True)
        ]
        yield Case(question, {"first_day": first, "last_day": last, "dates": dates}, f"Born {dob}")
    question = {"id": "C-no-dates", "check": "compulsory_school_age", "date_of_birth": "2014-03-10", "dates": []}
    yield Case(question, {"first_day": "2019-03-31", "last_day": "2030-06-28", "dates": []}, "No dates asked about")


#: Offence, last day to lay.
LIMITS = (
    ("2025-01-15", "2025-07-15"),
    ("2025-03-31", "2025-09-30"),
    ("2025-05-31", "2025-11-30"),
    ("2025-08-29", "2026-02-28"),
    ("2025-08-30", "2026-02-28"),
    ("2025-08-31", "2026-02-28"),
    ("2027-08-29", "2028-02-29"),
    ("2027-08-31", "2028-02-29"),
    ("2025-08-28", "2026-02-28"),
    ("2025-02-28", "2025-08-28"),
    ("2028-02-29", "2028-08-29"),
    ("2025-12-31", "2026-06-30"),
    ("2025-10-31", "2026-04-30"),
    ("2025-07-01", "2026-01-01"),
    ("2025-06-25", "2025-12-25"),
    ("2025-09-19", "2026-03-19"),
    ("2025-06-30", "2025-12-30"),
)


def limits() -> Iterator[Case]:
    """Each offence, with an information laid the day before the last day, on it, and the day after."""
    for offence, last in LIMITS:
        for name, offset, in_time in (("day-before", -1, True), ("last-day", 0, True), ("day-after", 1, False)):
            laid = (date.fromisoformat(last) + timedelta(days=offset)).isoformat()
            question = {
                "id": f"L-{offence}-{name}",
                "check": "time_limit",
                "offence_dates": [offence],
                "information_laid_on": laid,
            }
            offence_answer = {"offence_date": offence, "last_day_to_lay": last, "in_time": in_time}
            yield Case(question, {"offences": [offence_answer], "all_in_time": in_time}, f"Offence {offence}, laid {laid}")
    question = {
        "id": "L-several",
        "check": "time_limit",
        "offence_dates": ["2025-10-06", "2025-09-19", "2025-10-06"],
        "information_laid_on": "2026-03-20",
    }
    several = [
        {"offence_date": "2025-10-06", "last_day_to_lay": "2026-04-06", "in_time": True},
        {"offence_date": "2025-09-19", "last_day_to_lay": "2026-03-19", "in_time": False},
        {"offence_date": "2025-10-06", "last_day_to_lay": "2026-04-06", "in_time": True},
    ]
    yield Case(question, {"offences": several, "all_in_time": False}, "Each session has a limit of its own", "In the order given.")
    question = {"id": "L-none", "check": "time_limit", "offence_dates": [], "information_laid_on": "2026-03-20"}
    yield Case(question, {"offences": [], "all_in_time": True}, "No sessions relied on")


CASES: tuple[Case, ...] = (*ages(), *limits())
