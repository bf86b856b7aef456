"""Cases about the window: ten consecutive school weeks, across half terms, terms and years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import (
    MONDAYS,
    Case,
    Json,
    calendar,
    days_from,
    half_days,
    in_week,
    met,
    not_met,
    one_school_case,
    session_calendar,
    session_text,
    week_of_days,
    whole_days,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: First weeks of windows that span a half term, Christmas, Easter or summer.
STARTS = (0, 3, 6, 10, 13, 18, 22, 25, 30, 33, 36)


def first_week(last_week: int) -> str:
    """The Monday of the first of the ten school weeks that end with a week."""
    return MONDAYS[max(0, last_week - 9)]


def _pair(name: str, first: list[Json], second: list[Json], start: int, distance: int, title: str) -> Case:
    in_window = distance <= 9
    end = start + distance
    answer = met(session_text(second[-1]), first_week(end), MONDAYS[end]) if in_window else not_met(max(len(first), len(second)))
    why = f"Week {start + 1} and week {end + 1} of the calendar are {'inside' if in_window else 'outside'} ten school weeks."
    return one_school_case(name, first + second, answer, title, why)


def five_and_five() -> Iterator[Case]:
    """Five sessions in one school week, and five more 1, 8, 9, 10 or 11 school weeks later."""
    for start in STARTS:
        for distance in (1, 8, 9, 10, 11):
            # Week 39 has only four sessions, the last two days of the summer term: it makes no case.
            first = in_week(start, 4) if start == 39 else in_week(start, 5)
            second = in_week(start + distance, 5) if start + distance != 39 else in_week(39, 4)
            if len(first) + len(second) == 10:
                yield _pair(f"W-five-{start}-{distance}", first, second, start, distance, "Five sessions, then five more")


def nine_and_one() -> Iterator[Case]:
    """Nine sessions in one school week, and a tenth 8, 9 or 10 school weeks later."""
    for start in (2, 5, 12, 17, 24, 34):
        for distance in (8, 9, 10):
            first, second = in_week(start, 9), in_week(start + distance, 1, "G")
            yield _pair(f"W-tenth-{start}-{distance}", first, second, start, distance, "Nine sessions, then a tenth weeks later")


def one_a_week() -> Iterator[Case]:
    """One session a week reaches ten in ten weeks, and never does with a week missed."""
    for start in (0, 7, 20):
        marks = [mark for week in range(start, start + 10) for mark in in_week(week, 1, "U")]
        end = start + 9
        yield one_school_case(
            f"W-weekly-{start}",
            marks,
            met(session_text(marks[-1]), MONDAYS[start], MONDAYS[end]),
            "One session a week for ten",
        )
        with_gap = [mark for week in range(start, start + 11) if week != start + 4 for mark in in_week(week, 1, "U")]
        yield one_school_case(
            f"W-weekly-gap-{start}", with_gap, not_met(9), "One session a week, a week missed", "Nine in any ten weeks."
        )


def rolling() -> Iterator[Case]:
    """The window moves: the first ten weeks fall short, and a later ten may not."""
    marks = in_week(0, 5) + in_week(8, 4) + in_week(12, 4) + in_week(16, 2)
    yield one_school_case(
        "W-rolling-later",
        marks,
        met(session_text(marks[-1]), MONDAYS[7], MONDAYS[16]),
        "Only a later window reaches ten",
        "Weeks 9, 13 and 17 hold 4 + 4 + 2.",
    )
    marks = in_week(0, 1) + in_week(9, 8) + in_week(10, 2)
    yield one_school_case(
        "W-rolling-drop",
        marks,
        met("2025-11-17 PM", MONDAYS[1], MONDAYS[10]),
        "The oldest drops out as the tenth arrives",
        "Nine in the ten weeks to week 10; the first has gone when week 11 brings the tenth.",
    )
    marks = in_week(0, 2) + in_week(4, 7) + in_week(10, 2)
    yield one_school_case("W-rolling-never", marks, not_met(9), "Eleven in eleven weeks, nine in any ten", "2 + 7, then 7 + 2.")


def start_of_calendar() -> Iterator[Case]:
    """A window that would begin before the calendar has fewer weeks."""
    for week in (0, 1, 4, 8):
        number = 8 if week == 0 else 10
        marks = in_week(week, number)
        answer = not_met(8) if number == 8 else met(session_text(marks[-1]), MONDAYS[0], MONDAYS[week])
        yield one_school_case(f"W-start-{week}", marks, answer, "Near the start of the calendar")
    school_calendar = calendar((("2025-09-08", "2025-09-12"),), ())
    yield one_school_case(
        "W-one-week",
        whole_days("O", *week_of_days("2025-09-08")),
        met("2025-09-12 PM", "2025-09-08", "2025-09-08"),
        "A calendar of a single week",
        school_calendar=school_calendar,
    )
    yield one_school_case(
        "W-no-calendar",
        whole_days("O", *week_of_days("2025-09-08")),
        not_met(0),
        "A school that never met",
        "The calendar alone decides what is a session.",
        school_calendar=session_calendar([]),
    )
    yield one_school_case("W-no-marks", [], not_met(0), "A pupil with no marks")


def thin_weeks() -> Iterator[Case]:
    """A week with even one session is a school week and counts as one of the ten."""
    full = [(on, session) for on in week_of_days("2025-09-01") for session in ("AM", "PM")]
    for thin in (8, 9):
        mondays = days_from("2025-09-08", 7 * thin)[::7]
        later = days_from("2025-09-08", 7 * thin + 1)[-1]
        last = [(on, session) for on in week_of_days(later) for session in ("AM", "PM")]
        school_calendar = session_calendar([*full, *((on, "PM") for on in mondays), *last])
        marks = [*half_days("O", "AM", *week_of_days("2025-09-01")), *half_days("O", "AM", *week_of_days(later))]
        friday = week_of_days(later)[-1]
        answer = met(f"{friday} AM", "2025-09-01", later) if thin == 8 else not_met(5)
        yield one_school_case(
            f"W-thin-{thin}",
            marks,
            answer,
            "Weeks in which the school met for one session only",
            f"{thin} thin weeks lie between: each is a school week.",
            school_calendar=school_calendar,
        )


def weeks_without_a_session() -> Iterator[Case]:
    """Weeks without a session are left out. One open day makes a school week."""
    empty = calendar((("2025-09-01", "2025-09-05"), ("2025-12-01", "2025-12-05")), ())
    yield one_school_case(
        "W-empty-between",
        [*whole_days("G", "2025-09-04", "2025-09-05"), *whole_days("G", "2025-12-01", "2025-12-02", "2025-12-03")],
        met("2025-12-03 PM", "2025-09-01", "2025-12-01"),
        "Twelve weeks without a session between two school weeks",
        "Weeks without a session are left out, so these two are next to each other.",
        school_calendar=empty,
    )
    closed = [*days_from("2025-09-08", 5), *days_from("2025-09-15", 5)]
    school_calendar = calendar((("2025-09-01", "2025-11-21"),), closed)
    marks = [*whole_days("O", "2025-09-01", "2025-09-02"), *whole_days("O", "2025-11-17", "2025-11-18", "2025-11-19")]
    yield one_school_case(
        "W-closed-weeks",
        marks,
        met("2025-11-19 PM", "2025-09-01", "2025-11-17"),
        "Two whole weeks closed inside a term",
        "Twelve calendar weeks, ten school weeks.",
        school_calendar=school_calendar,
    )
    school_calendar = calendar((("2025-09-01", "2025-11-21"),), closed[:-1])
    yield one_school_case(
        "W-closed-nearly",
        marks,
        not_met(6),
        "All but one day of two weeks closed",
        "Friday 19 September was open, so that week is a school week: eleven in all.",
        school_calendar=school_calendar,
    )


def edges_of_weeks() -> Iterator[Case]:
    """A week runs from Monday to Sunday, so a Sunday belongs to the Monday before it."""
    sunday_school = [(on, "AM") for on in days_from("2025-09-07", 100)]
    school_calendar = session_calendar(sunday_school)
    marks = [*half_days("O", "AM", "2025-09-07"), *half_days("O", "AM", *days_from("2025-11-03", 9))]
    yield one_school_case(
        "W-sunday-first",
        marks,
        not_met(9),
        "A Sunday in the week before",
        "Sunday 7 September is in the week of 1 September; nine remain.",
        school_calendar=school_calendar,
    )
    marks = [
        *half_days("O", "AM", "2025-09-14"),
        *half_days("O", "AM", *days_from("2025-11-10", 7)),
        *half_days("O", "AM", "2025-09-08", "2025-09-09"),
    ]
    yield one_school_case(
        "W-sunday-last",
        marks,
        met("2025-11-16 AM", "2025-09-08", "2025-11-10"),
        "The last Sunday of the tenth week",
        "The window holds whole weeks, Monday to Sunday.",
        school_calendar=school_calendar,
    )


def first_monday_to_last_friday() -> Iterator[Case]:
    """From the first morning of a window to its last afternoon."""
    yield one_school_case(
        "W-monday-first-friday-last",
        [*half_days("G", "AM", "2025-09-15"), *whole_days("G", "2025-11-24", "2025-11-25", "2025-11-26", "2025-11-27")],
        not_met(9),
        "Nine, from the first Monday of a window to its last week",
    )
    first = [*half_days("O", "AM", "2025-09-08"), *whole_days("O", "2025-11-17", "2025-11-18", "2025-11-19", "2025-11-20")]
    yield one_school_case(
        "W-monday-to-friday-ten",
        [*first, *half_days("O", "PM", "2025-11-21")],
        met("2025-11-21 PM", "2025-09-08", "2025-11-17"),
        "From a Monday morning to a Friday afternoon",
        "75 days, and ten school weeks: the week of 8 September is the tenth back from 17 November.",
    )
    first = [
        *half_days("O", "AM", "2025-09-15"),
        *whole_days("O", "2025-11-24", "2025-11-25", "2025-11-26"),
        *half_days("O", "PM", "2025-09-15"),
    ]
    yield one_school_case(
        "W-seventy-one-days",
        [*first, *whole_days("O", "2025-11-27")],
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
