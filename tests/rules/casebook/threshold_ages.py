"""Cases about the threshold and age: only sessions at compulsory school age count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import (
    Case,
    calendar,
    days_from,
    half_days,
    met,
    not_met,
    one_school_case,
    session_calendar,
    whole_days,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Date of birth, and the first day of compulsory school age: the first prescribed day on or after the fifth birthday.
STARTS = (
    ("2020-09-01", "2025-12-31"),
    ("2020-12-31", "2025-12-31"),
    ("2021-01-01", "2026-03-31"),
    ("2021-03-31", "2026-03-31"),
    ("2020-04-01", "2025-08-31"),
    ("2020-08-31", "2025-08-31"),
    ("2021-04-01", "2026-08-31"),
    ("2020-02-29", "2025-03-31"),
)
#: A full week in each stretch between prescribed days: autumn, spring, summer, next autumn.
WEEKS = (
    ("autumn", "2025-09-15", "2025-09-01"),
    ("spring", "2026-01-12", "2025-10-20"),
    ("summer", "2026-04-20", "2026-01-26"),
    ("autumn-after", "2026-09-14", "2026-06-08"),
)


def too_young() -> Iterator[Case]:
    """A week of absence in each term, for children who reach the age at different times."""
    for dob, first_day in STARTS:
        for name, monday, first_week in WEEKS:
            friday = days_from(monday, 5)[-1]
            answer = met(f"{friday} PM", first_week, monday) if monday >= first_day else not_met(0)
            why = f"Of compulsory school age from {first_day}."
            yield one_school_case(
                f"A-start-{dob}-{name}", whole_days("O", *days_from(monday, 5)), answer, "Around the start", why, dob=dob
            )


def on_the_day() -> Iterator[Case]:
    """The prescribed day itself counts, and the day before does not."""
    school_calendar = calendar((("2026-03-23", "2026-04-03"),), ())
    days = [*days_from("2026-03-25", 3), *days_from("2026-03-30", 5)]
    yield one_school_case(
        "A-31-march",
        whole_days("O", *days),
        not_met(8),
        "Absent on both sides of 31 March",
        "31 March and the three days after it: eight sessions.",
        dob="2021-02-10",
        school_calendar=school_calendar,
    )
    school_calendar = session_calendar([(on, session) for on in days_from("2025-12-27", 12) for session in ("AM", "PM")])
    yield one_school_case(
        "A-31-december",
        whole_days("O", *days_from("2025-12-27", 9)),
        met("2026-01-04 PM", "2025-12-22", "2025-12-29"),
        "Absent on both sides of 31 December",
        "Five days from 31 December make ten.",
        dob="2020-11-05",
        school_calendar=school_calendar,
    )
    yield one_school_case(
        "A-31-december-nine",
        [*whole_days("O", *days_from("2025-12-27", 8)), *half_days("O", "AM", "2026-01-04")],
        not_met(9),
        "Absent on both sides of 31 December, nine inside",
        dob="2020-11-05",
        school_calendar=school_calendar,
    )
    yield one_school_case(
        "A-fifth-birthday",
        whole_days("O", *days_from("2025-11-10", 5)),
        not_met(0),
        "The week after a fifth birthday",
        "The birthday itself starts nothing.",
        dob="2020-11-07",
    )


def too_old() -> Iterator[Case]:
    """The age ends after the last Friday in June of the school year of the sixteenth birthday."""
    for dob, last in (("2009-09-01", "2026-06-26"), ("2010-08-31", "2026-06-26"), ("2010-09-01", "2027-06-25")):
        for name, monday, first_week in (
            ("week-of", "2026-06-22", "2026-04-13"),
            ("week-after", "2026-06-29", "2026-04-20"),
        ):
            friday = days_from(monday, 5)[-1]
            answer = met(f"{friday} PM", first_week, monday) if friday <= last else not_met(0)
            yield one_school_case(
                f"A-end-{dob}-{name}",
                whole_days("O", *days_from(monday, 5)),
                answer,
                "Around the end",
                f"Of compulsory school age to the end of {last}.",
                dob=dob,
            )
    days = [*days_from("2026-06-24", 3), *days_from("2026-06-29", 5)]
    yield one_school_case(
        "A-across-the-end",
        whole_days("O", *days),
        not_met(6),
        "Absent on both sides of the last Friday in June",
        dob="2010-03-10",
    )


def last_friday_in_june() -> Iterator[Case]:
    """The last Friday in June, the sixteenth birthday, and the sixth form."""
    days = days_from("2026-06-22", 4)
    yield one_school_case(
        "A-friday-makes-ten",
        [*whole_days("O", *days), *whole_days("G", "2026-06-26")],
        met("2026-06-26 PM", "2026-04-13", "2026-06-22"),
        "The last Friday in June makes ten",
        "The age ends at the end of that Friday.",
        dob="2010-03-10",
    )
    yield one_school_case(
        "A-sixteenth-birthday",
        whole_days("O", *days_from("2026-03-16", 5)),
        met("2026-03-20 PM", "2026-01-05", "2026-03-16"),
        "The week after a sixteenth birthday",
        "The birthday itself ends nothing.",
        dob="2010-03-10",
    )
    yield one_school_case(
        "A-sixth-form", whole_days("O", *days_from("2026-09-14", 5)), not_met(0), "A sixth former", dob="2010-03-10"
    )
    yield one_school_case(
        "A-june-30-is-not-friday",
        whole_days("O", "2026-06-29", "2026-06-30"),
        not_met(0),
        "After the last Friday, still June",
        dob="2010-03-10",
    )


CASES: tuple[Case, ...] = (*too_young(), *on_the_day(), *too_old(), *last_friday_in_june())
