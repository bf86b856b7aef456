"""Cases about the window: ten consecutive school weeks, across half terms, terms and years, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import (
    MONDAYS,
    Case,
    Json,
    both,
    calendar,
    days_from,
    half,
    in_week,
    met,
    met_for,
    named,
    not_met,
    one_school,
    week_of_days,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Weeks from which the ninth week on (the tenth of a window) lies beyond a half term, Christmas, Easter or summer.
STARTS = (0, 3, 6, 10, 13, 18, 22, 25, 30, 33, 36)


def first_week(last: int) -> str:
    """The Monday of the first of the ten school weeks that end with a week."""
    return MONDAYS[max(0, last - 9)]


def _pair(name: str, first: list[Json], second: list[Json], start: int, apart: int, title: str) -> Case:
    within = apart <= 9
    end = start + apart
    answer = met(named(second[-1]), first_week(end), MONDAYS[end]) if within else not_met(max(len(first), len(second)))
    why = f"Week {start + 1} and week {end + 1} of the calendar are {'inside' if within else 'outside'} ten school weeks."
    return one_school(name, first + second, answer, title, why)


def five_and_five() -> Iterator[Case]:
    """Five sessions in one school week and five in another, 1, 8, 9, 10 or 11 school weeks later."""
    for start in STARTS:
        for apart in (1, 8, 9, 10, 11):
            first = in_week(start, 4) if start == 39 else in_week(start, 5)
            second = in_week(start + apart, 5) if start + apart != 39 else in_week(39, 4)
            if len(first) + len(second) == 10:
                yield _pair(f"W-five-{start}-{apart}", first, second, start, apart, "Five sessions, then five more")


def nine_and_one() -> Iterator[Case]:
    """Nine sessions late in one week, and a tenth 8, 9 or 10 school weeks later, on its first session."""
    for start in (2, 5, 12, 17, 24, 34):
        for apart in (8, 9, 10):
            first, second = in_week(start, 9), in_week(start + apart, 1, "G")
            yield _pair(f"W-tenth-{start}-{apart}", first, second, start, apart, "Nine sessions, then a tenth weeks later")


def one_a_week() -> Iterator[Case]:
    """One session a week: ten weeks running reach ten; with one week missed they never do."""
    for start in (0, 7, 20):
        marks = [mark for place in range(start, start + 10) for mark in in_week(place, 1, "U")]
        end = start + 9
        yield one_school(
            f"W-weekly-{start}",
            marks,
            met(named(marks[-1]), MONDAYS[start], MONDAYS[end]),
            "One session a week for ten",
        )
        gap = [mark for place in range(start, start + 11) if place != start + 4 for mark in in_week(place, 1, "U")]
        yield one_school(f"W-weekly-gap-{start}", gap, not_met(9), "One session a week, a week missed", "Nine in any ten weeks.")


def rolling() -> Iterator[Case]:
    """The first ten weeks fall short; a later run of ten does not."""
    marks = in_week(0, 5) + in_week(8, 4) + in_week(12, 4) + in_week(16, 2)
    yield one_school(
        "W-rolling-later",
        marks,
        met(named(marks[-1]), MONDAYS[7], MONDAYS[16]),
        "Only a later window reaches ten",
        "Weeks 9, 13 and 17 hold 4 + 4 + 2.",
    )
    marks = in_week(0, 1) + in_week(9, 8) + in_week(10, 2)
    yield one_school(
        "W-rolling-drop",
        marks,
        met("2025-11-17 PM", MONDAYS[1], MONDAYS[10]),
        "The oldest drops out as the tenth arrives",
        "Nine in the ten weeks to week 10; the first has gone when week 11 brings the tenth.",
    )
    marks = in_week(0, 2) + in_week(4, 7) + in_week(10, 2)
    yield one_school("W-rolling-never", marks, not_met(9), "Eleven in eleven weeks, nine in any ten", "2 + 7, then 7 + 2.")


def start_of_calendar() -> Iterator[Case]:
    """A window that would begin before the calendar has fewer weeks."""
    for place in (0, 1, 4, 8):
        number = 8 if place == 0 else 10
        marks = in_week(place, number)
        answer = not_met(8) if number == 8 else met(named(marks[-1]), MONDAYS[0], MONDAYS[place])
        yield one_school(f"W-start-{place}", marks, answer, "Near the start of the calendar")
    when = calendar((("2025-09-08", "2025-09-12"),), ())
    yield one_school(
        "W-one-week",
        both("O", *week_of_days("2025-09-08")),
        met("2025-09-12 PM", "2025-09-08", "2025-09-08"),
        "A calendar of a single week",
        when=when,
    )
    yield one_school(
        "W-no-calendar",
        both("O", *week_of_days("2025-09-08")),
        not_met(0),
        "A school that never met",
        "The calendar alone decides what is a session.",
        when=met_for([]),
    )
    yield one_school("W-no-marks", [], not_met(0), "A pupil with no marks")


def thin_weeks() -> Iterator[Case]:
    """A week with even one session is a school week and takes its place among the ten."""
    full = [(on, session) for on in week_of_days("2025-09-01") for session in ("AM", "PM")]
    for thin in (8, 9):
        mondays = days_from("2025-09-08", 7 * thin)[::7]
        later = days_from("2025-09-08", 7 * thin + 1)[-1]
        last = [(on, session) for on in week_of_days(later) for session in ("AM", "PM")]
        when = met_for([*full, *((on, "PM") for on in mondays), *last])
        marks = [*half("O", "AM", *week_of_days("2025-09-01")), *half("O", "AM", *week_of_days(later))]
        friday = week_of_days(later)[-1]
        answer = met(f"{friday} AM", "2025-09-01", later) if thin == 8 else not_met(5)
        yield one_school(
            f"W-thin-{thin}",
            marks,
            answer,
            "Weeks in which the school met for one session only",
            f"{thin} thin weeks lie between: each is a school week.",
            when=when,
        )


def weeks_without_a_session() -> Iterator[Case]:
    """Weeks without a session are left out, however many; one open day makes a school week."""
    empty = calendar((("2025-09-01", "2025-09-05"), ("2025-12-01", "2025-12-05")), ())
    yield one_school(
        "W-empty-between",
        [*both("G", "2025-09-04", "2025-09-05"), *both("G", "2025-12-01", "2025-12-02", "2025-12-03")],
        met("2025-12-03 PM", "2025-09-01", "2025-12-01"),
        "Twelve weeks without a session between two school weeks",
        "Weeks without a session are left out, so these two are next to each other.",
        when=empty,
    )
    closed = [*days_from("2025-09-08", 5), *days_from("2025-09-15", 5)]
    when = calendar((("2025-09-01", "2025-11-21"),), closed)
    marks = [*both("O", "2025-09-01", "2025-09-02"), *both("O", "2025-11-17", "2025-11-18", "2025-11-19")]
    yield one_school(
        "W-closed-weeks",
        marks,
        met("2025-11-19 PM", "2025-09-01", "2025-11-17"),
        "Two whole weeks closed inside a term",
        "Twelve calendar weeks, ten school weeks.",
        when=when,
    )
    when = calendar((("2025-09-01", "2025-11-21"),), closed[:-1])
    yield one_school(
        "W-closed-nearly",
        marks,
        not_met(6),
        "All but one day of two weeks closed",
        "Friday 19 September was open, so that week is a school week: eleven in all.",
        when=when,
    )


def edges_of_weeks() -> Iterator[Case]:
    """A week runs from Monday to Sunday: Sunday belongs with the Monday before it."""
    sunday_school = [(on, "AM") for on in days_from("2025-09-07", 100) if on]
    when = met_for(sunday_school)
    marks = [*half("O", "AM", "2025-09-07"), *half("O", "AM", *days_from("2025-11-03", 9))]
    yield one_school(
        "W-sunday-first",
        marks,
        not_met(9),
        "A Sunday in the week before",
        "Sunday 7 September is in the week of 1 September; nine remain.",
        when=when,
    )
    marks = [
        *half("O", "AM", "2025-09-14"),
        *half("O", "AM", *days_from("2025-11-10", 7)),
        *half("O", "AM", "2025-09-08", "2025-09-09"),
    ]
    yield one_school(
        "W-sunday-last",
        marks,
        met("2025-11-16 AM", "2025-09-08", "2025-11-10"),
        "The last Sunday of the tenth week",
        "The window holds whole weeks, Monday to Sunday.",
        when=when,
    )


def first_monday_to_last_friday() -> Iterator[Case]:
    """From the first morning of a window to its last afternoon."""
    yield one_school(
        "W-monday-first-friday-last",
        [*half("G", "AM", "2025-09-15"), *both("G", "2025-11-24", "2025-11-25", "2025-11-26", "2025-11-27")],
        not_met(9),
        "Nine, from the first Monday of a window to its last week",
    )
    first = [*half("O", "AM", "2025-09-08"), *both("O", "2025-11-17", "2025-11-18", "2025-11-19", "2025-11-20")]
    yield one_school(
        "W-monday-to-friday-ten",
        [*first, *half("O", "PM", "2025-11-21")],
        met("2025-11-21 PM", "2025-09-08", "2025-11-17"),
        "From a Monday morning to a Friday afternoon",
        "75 days, and ten school weeks: the week of 8 September is the tenth back from 17 November.",
    )
    first = [
        *half("O", "AM", "2025-09-15"),
        *both("O", "2025-11-24", "2025-11-25", "2025-11-26"),
        *half("O", "PM", "2025-09-15"),
    ]
    yield one_school(
        "W-seventy-one-days",
        [*first, *both("O", "2025-11-27")],
        met("2025-11-27 PM", "2025-09-15", "2025-11-24"),
        "Ten sessions 73 calendar days apart",
        "Ten school weeks, because half term is not one.",
    )


CASES: tuple[Case, ...] = (
    *five_and_five(),
    *nine_and_one(),
    *one_a_week(),
    *rolling(),
    *start_of_calendar(),
    *thin_weeks(),
    *weeks_without_a_session(),
    *edges_of_weeks(),
    *first_monday_to_last_friday(),
)
