"""Cases about the marks: codes, numbers, closures, corrections, and sessions already dealt with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import (
    Case,
    Json,
    amended,
    calendar,
    days_from,
    half_days,
    in_week,
    met,
    not_met,
    one_school_case,
    session_calendar,
    session_text,
    sessions,
    week_of_days,
    whole_days,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Every other code of the 2024 regulations and the guidance, the legacy ones, and marks that are no code.
NEVER_COUNT = (
    *("/", "\\", "L", "K", "V", "P", "W", "B", "D", "C1", "M", "J1", "S", "X", "C2", "C", "T", "R", "I", "E", "Q"),
    *("Y1", "Y2", "Y3", "Y4", "Y5", "Y6", "Y7", "Z", "#", "H", "F", "J", "Y", "-", "", "!"),
)
#: A plain week: from Monday 15 September 2025, the third of the calendar.
WEEK = week_of_days("2025-09-15")
NEXT = week_of_days("2025-09-22")
FIRST_WEEK = "2025-09-01"


def numbers() -> Iterator[Case]:
    """Nine is too few, and eleven was met at the tenth, for each of the four codes."""
    for code in "GNOU":
        for number in (9, 10, 11, 13):
            marks = in_week(2, 8, code) + in_week(3, number - 8, code)
            answer = not_met(9) if number == 9 else met("2025-09-22 PM", FIRST_WEEK, "2025-09-22", number)
            yield one_school_case(f"M-number-{code}-{number}", marks, answer, f"{number} sessions of {code}")
    for first, second in ("GN", "GO", "GU", "NO", "NU", "OU"):
        marks = in_week(2, 5, first) + in_week(2, 5, second, skip=5)
        yield one_school_case(
            f"M-mix-{first}{second}", marks, met("2025-09-19 PM", FIRST_WEEK, "2025-09-15"), "Two codes, five each"
        )


def other_codes() -> Iterator[Case]:
    """Nine of O and ten of any other mark are still nine."""
    for number, code in enumerate(NEVER_COUNT):
        marks = in_week(2, 9) + in_week(3, 10, code)
        yield one_school_case(f"M-other-{number:02d}", marks, not_met(9), f"Nine of O, ten of “{code}”", "No other code counts.")
    marks = [*whole_days("O", *WEEK[:4]), *half_days("L", "AM", WEEK[4]), *half_days("U", "PM", WEEK[4])]
    yield one_school_case("M-late-before-and-after", marks, not_met(9), "L is present, U is an unauthorised absence")
    marks = [
        *half_days("U", "AM", *WEEK),
        *half_days("\\", "PM", *WEEK),
        *half_days("U", "AM", *NEXT),
        *half_days("\\", "PM", *NEXT),
    ]
    yield one_school_case(
        "M-late-each-morning",
        marks,
        met("2025-09-26 AM", FIRST_WEEK, "2025-09-22"),
        "Ten mornings late after the register closed",
        "Sessions are counted, not days or hours.",
    )


def sessions_not_days() -> Iterator[Case]:
    """Sessions are counted one by one, and need not be consecutive."""
    marks = [*half_days("O", "PM", *WEEK), *half_days("O", "AM", *WEEK[:4])]
    yield one_school_case("M-days-not-sessions", marks, not_met(9), "Nine sessions on five days")
    marks = [
        *whole_days("O", *WEEK[:2]),
        *whole_days("/", WEEK[2]),
        *whole_days("O", *WEEK[3:]),
        *whole_days("I", *NEXT[:3]),
        *whole_days("O", NEXT[3]),
    ]
    yield one_school_case(
        "M-not-consecutive",
        marks,
        met("2025-09-25 PM", FIRST_WEEK, "2025-09-22"),
        "Ten sessions with attendance and illness between",
        "They need not be one after another.",
    )
    yield one_school_case(
        "M-any-order",
        list(reversed(in_week(2, 10))),
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15"),
        "Marks listed backwards",
        "The list may be in any order.",
    )
    marks = [*half_days("O", "PM", *WEEK), *half_days("G", "AM", *WEEK), *half_days("N", "AM", NEXT[0])]
    yield one_school_case(
        "M-tenth-is-afternoon",
        marks,
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15", 11),
        "Afternoons listed before mornings",
        "Morning comes before afternoon; the eleventh comes after.",
    )


def closures() -> Iterator[Case]:
    """The calendar alone decides what is a session, not the marks."""
    for index, on in enumerate(WEEK):
        yield one_school_case(
            f"M-closed-{index}",
            whole_days("O", *WEEK),
            not_met(8),
            "Absent all week, one day closed",
            "Marks on a day the school did not meet are ignored.",
            school_calendar=calendar(closed=("2025-11-28", "2026-05-04", on)),
        )
        yield one_school_case(
            f"M-closed-morning-{index}",
            whole_days("O", *WEEK),
            not_met(9),
            "Absent all week, one morning closed",
            school_calendar=calendar(closed=("2025-11-28", "2026-05-04", (on, "AM"))),
        )
    yield one_school_case(
        "M-closed-afternoon-rest-counts",
        [*whole_days("O", *WEEK), *half_days("O", "AM", NEXT[0])],
        met("2025-09-22 AM", FIRST_WEEK, "2025-09-22"),
        "Closed one afternoon: the morning still counts",
        school_calendar=calendar(closed=((WEEK[4], "PM"),)),
    )


def outside_the_calendar() -> Iterator[Case]:
    """Marks outside the term dates are ignored."""
    for name, days in (
        ("half-term", days_from("2025-10-27", 5)),
        ("christmas", days_from("2025-12-22", 5)),
        ("weekend", ["2025-09-20", "2025-09-21", "2025-09-27", "2025-09-28", "2025-10-04"]),
        ("summer", days_from("2026-08-03", 5)),
        ("before", days_from("2025-08-25", 5)),
        ("after", ["2026-12-21", "2026-12-22", "2026-12-23", "2026-12-24", "2026-12-29"]),
    ):
        yield one_school_case(f"M-outside-{name}", whole_days("O", *days), not_met(0), f"Ten marks outside the calendar: {name}")
    marks = [
        *whole_days("G", "2025-10-23", "2025-10-24"),
        *whole_days("G", *days_from("2025-10-27", 5)),
        *whole_days("G", "2025-11-03", "2025-11-04"),
    ]
    yield one_school_case("M-holiday-round-half-term", marks, not_met(8), "A holiday round half term, marked all through")


def marks_of_closure() -> Iterator[Case]:
    """Marks that say the school was closed do not change the calendar."""
    marks = [
        *whole_days("#", "2025-11-28"),
        *whole_days("O", "2025-11-24", "2025-11-25", "2025-11-26", "2025-11-27"),
        *whole_days("O", "2025-12-01"),
    ]
    yield one_school_case("M-closed-marked-hash", marks, met("2025-12-01 PM", "2025-09-22", "2025-12-01"), "INSET marked #")
    marks = [*whole_days("Y4", *WEEK), *whole_days("O", *NEXT)]
    yield one_school_case(
        "M-snow-week-is-a-school-week",
        marks,
        met("2025-09-26 PM", FIRST_WEEK, "2025-09-22"),
        "A week of snow is still a school week",
        "Marks never take a session from the calendar.",
    )
    marks = [
        *whole_days("O", "2025-09-02", "2025-09-03"),
        *half_days("O", "AM", "2025-09-04"),
        *whole_days("#", *NEXT),
        *whole_days("O", "2025-11-17", "2025-11-18"),
        *half_days("O", "AM", "2025-11-19"),
    ]
    yield one_school_case(
        "M-hash-does-not-close",
        marks,
        not_met(5),
        "A week marked # in the register, open in the calendar",
        "Marks never add to the calendar or take from it: the weeks are eleven apart.",
    )


def other_week_days() -> Iterator[Case]:
    """The second form of calendar, with sessions on any day of the week."""
    days = days_from("2025-09-07", 40)
    sunday_to_thursday = [on for index, on in enumerate(days) if index % 7 not in (5, 6)]
    school_calendar = session_calendar([(on, session) for on in sunday_to_thursday for session in ("AM", "PM")])
    yield one_school_case(
        "M-sunday-to-thursday",
        whole_days("O", *days_from("2025-09-14", 5)),
        met("2025-09-18 PM", "2025-09-01", "2025-09-15"),
        "A school that meets from Sunday to Thursday",
        "The Sunday belongs to the week before.",
        school_calendar=school_calendar,
    )
    yield one_school_case(
        "M-sunday-to-thursday-friday",
        whole_days("O", *days_from("2025-09-15", 5)),
        not_met(8),
        "The same school, marked on a Friday",
        school_calendar=school_calendar,
    )


def saturdays_and_mornings() -> Iterator[Case]:
    """Saturdays, mornings only, and a list with one session left out."""
    saturdays = session_calendar([*((on, session) for on in WEEK for session in ("AM", "PM")), ("2025-09-20", "AM")])
    marks = [*whole_days("O", *WEEK[:4]), *half_days("O", "AM", WEEK[4]), *half_days("O", "AM", "2025-09-20")]
    yield one_school_case(
        "M-saturday-morning",
        marks,
        met("2025-09-20 AM", "2025-09-15", "2025-09-15"),
        "The tenth on a Saturday morning the school met",
        school_calendar=saturdays,
    )
    yield one_school_case(
        "M-saturday-afternoon",
        [*marks[:-1], *half_days("O", "PM", "2025-09-20")],
        not_met(9),
        "A Saturday afternoon the school did not meet",
        school_calendar=saturdays,
    )
    yield one_school_case(
        "M-mornings-only",
        whole_days("O", *WEEK, *NEXT),
        met("2025-09-26 AM", "2025-09-15", "2025-09-22"),
        "A school that meets in the mornings",
        school_calendar=session_calendar([(on, "AM") for on in [*WEEK, *NEXT]]),
    )
    yield one_school_case(
        "M-no-others",
        whole_days("O", *WEEK),
        not_met(9),
        "A list of sessions with one left out",
        school_calendar=session_calendar([(on, session) for on in WEEK for session in ("AM", "PM")][:-1]),
    )


FRIDAY = "2025-09-19"
#: Corrections to ten sessions of O, and the answer where it is no longer met.
CORRECTED: tuple[tuple[str, list[Json], Json | None], ...] = (
    ("to-illness", [amended("I", "PM", FRIDAY, "2025-09-24")], not_met(9)),
    ("after-met", [amended("I", "AM", "2025-09-15", "2026-06-30")], not_met(9)),
    ("latest-wins", [amended("I", "PM", FRIDAY, "2025-09-24"), amended("G", "PM", FRIDAY, "2025-10-01")], None),
    (
        "latest-listed-first",
        [amended("I", "PM", FRIDAY, "2025-10-01"), amended("G", "PM", FRIDAY, "2025-09-24")],
        not_met(9),
    ),
    (
        "latest-listed-last",
        [amended("G", "PM", FRIDAY, "2025-09-24"), amended("I", "PM", FRIDAY, "2025-10-01")],
        not_met(9),
    ),
    (
        "back-and-forth",
        [
            amended("I", "PM", FRIDAY, "2025-09-22"),
            amended("O", "PM", FRIDAY, "2025-09-29"),
            amended("M", "PM", FRIDAY, "2025-09-25"),
        ],
        None,
    ),
    ("elsewhere", [amended("I", "PM", "2025-09-22", "2025-09-24")], None),
    ("to-present", [amended("\\", "PM", FRIDAY, "2025-09-24")], not_met(9)),
    ("two", [amended("I", "AM", FRIDAY, "2025-09-24"), amended("I", "PM", FRIDAY, "2025-09-24")], not_met(8)),
    ("none", [], None),
)


def corrections() -> Iterator[Case]:
    """The latest correction stands, in any order of the list and however late."""
    ten = whole_days("O", *WEEK)
    for name, amendments, answer in CORRECTED:
        expected = answer or met("2025-09-19 PM", FIRST_WEEK, "2025-09-15")
        yield one_school_case(f"M-corrected-{name}", ten, expected, "Ten of O, then corrections", amendments=amendments)


def corrected_to_absence() -> Iterator[Case]:
    """Corrections that make an absence, or move the day the threshold was met."""
    ten = whole_days("O", *WEEK)
    nine = [*whole_days("O", *WEEK[:4]), *half_days("O", "AM", FRIDAY)]
    yield one_school_case(
        "M-corrected-to-absence",
        [*nine, *half_days("I", "PM", FRIDAY)],
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15"),
        "An illness corrected to O",
        amendments=[amended("O", "PM", FRIDAY, "2025-12-01")],
    )
    yield one_school_case(
        "M-corrected-left-out",
        nine,
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15"),
        "A session left out, then corrected to O",
        "A correction stands for a session with no first mark.",
        amendments=[amended("O", "PM", FRIDAY, "2025-12-01")],
    )
    yield one_school_case(
        "M-corrected-n-to-o",
        [*nine, *half_days("N", "PM", FRIDAY)],
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15"),
        "N settled as O",
        "It counts before and after; the ten show O.",
        amendments=[amended("O", "PM", FRIDAY, "2025-09-26")],
    )
    yield one_school_case(
        "M-corrected-moves-date",
        [*ten, *half_days("U", "AM", "2025-10-06")],
        met("2025-10-06 AM", FIRST_WEEK, "2025-10-06"),
        "A correction moves the day it was met",
        amendments=[amended("M", "AM", "2025-09-16", "2025-11-03")],
    )


def sessions_dealt_with() -> Iterator[Case]:
    """Sessions of a notice that stands, or of a prosecution, are not counted again."""
    ten = in_week(2, 10)
    for number in (1, 2, 5, 10):
        dealt_with = sessions(*(session_text(mark) for mark in ten[:number]))
        yield one_school_case(
            f"M-dealt-{number}", ten, not_met(10 - number), f"{number} of ten dealt with already", dealt_with=dealt_with
        )
        new_marks = in_week(3, number, "G")
        yield one_school_case(
            f"M-dealt-{number}-replaced",
            ten + new_marks,
            met(session_text(new_marks[-1]), FIRST_WEEK, "2025-09-22"),
            f"{number} dealt with, and as many new ones",
            dealt_with=dealt_with,
        )
    yield one_school_case(
        "M-dealt-elsewhere",
        ten,
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15"),
        "Other sessions dealt with",
        dealt_with=sessions("2025-09-22 AM", "2025-09-12 PM"),
    )
    yield one_school_case(
        "M-dealt-one-half", ten, not_met(9), "Only the morning of a day dealt with", dealt_with=sessions("2025-09-17 AM")
    )
    yield one_school_case(
        "M-dealt-second-spell",
        ten + in_week(5, 10, "G"),
        met("2025-10-10 PM", FIRST_WEEK, "2025-10-06"),
        "A first ten dealt with, a second ten not",
        dealt_with=sessions(*(session_text(mark) for mark in ten)),
    )


def best_counts() -> Iterator[Case]:
    """The largest number in any ten weeks, before or after the threshold was met."""
    yield one_school_case(
        "M-best-later",
        in_week(2, 10) + in_week(20, 10) + in_week(21, 10) + in_week(22, 4),
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15", 24),
        "Fuller weeks after the threshold was met",
    )
    yield one_school_case(
        "M-best-earlier",
        in_week(0, 8) + in_week(1, 10) + in_week(2, 6) + in_week(30, 10),
        met("2025-09-08 PM", "2025-09-01", "2025-09-08", 24),
        "Fuller weeks first",
    )
    yield one_school_case(
        "M-best-same-week",
        in_week(2, 10) + in_week(11, 8),
        met("2025-09-19 PM", FIRST_WEEK, "2025-09-15", 18),
        "Ten weeks end to end hold both spells",
    )
    yield one_school_case(
        "M-best-not-total",
        in_week(2, 9) + in_week(14, 9) + in_week(26, 9),
        not_met(9),
        "Twenty-seven sessions, never ten in ten weeks",
        "8 or 9 in each term is still below the line.",
    )
    marks = [mark for week in range(36) for mark in in_week(week, 1, "G")]
    yield one_school_case("M-best-all-year", marks, met("2025-11-10 AM", FIRST_WEEK, "2025-11-10"), "One a week all year")


CASES: tuple[Case, ...] = (
    *numbers(),
    *other_codes(),
    *sessions_not_days(),
    *closures(),
    *outside_the_calendar(),
    *marks_of_closure(),
    *other_week_days(),
    *saturdays_and_mornings(),
    *corrections(),
    *corrected_to_absence(),
    *sessions_dealt_with(),
    *best_counts(),
)
