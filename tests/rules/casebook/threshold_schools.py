"""Cases about more than one school: each on its own calendar, then together for a person to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import (
    Case,
    amended,
    calendar,
    days_from,
    half_days,
    in_week,
    met,
    not_met,
    review,
    school,
    session_calendar,
    sessions,
    threshold_case,
    whole_days,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Another school's calendar: its half terms fall a week later than the illustrative calendar's.
LATER = calendar(
    (
        ("2025-09-03", "2025-10-31"),
        ("2025-11-10", "2025-12-19"),
        ("2026-01-05", "2026-02-20"),
        ("2026-03-02", "2026-03-27"),
    ),
    (),
)


def alone() -> Iterator[Case]:
    """Ten at one school alone."""
    yield threshold_case(
        "S-second-alone",
        [school("School A", in_week(2, 4)), school("School B", in_week(4, 10))],
        met("2025-10-03 PM", "2025-09-01", "2025-09-29", at="School B"),
        "Ten at the second school alone",
    )
    yield threshold_case(
        "S-first-alone",
        [school("School A", in_week(4, 10)), school("School B", in_week(2, 4))],
        met("2025-10-03 PM", "2025-09-01", "2025-09-29"),
        "Ten at the first school alone",
    )
    both_schools = [school("School A", in_week(6, 10)), school("School B", in_week(4, 10))]
    yield threshold_case(
        "S-earliest-second",
        both_schools,
        met("2025-10-03 PM", "2025-09-01", "2025-09-29", at="School B"),
        "Both reach ten, the second one first",
        "The earliest is named, not the first in the list.",
    )
    yield threshold_case(
        "S-earliest-first",
        list(reversed(both_schools)),
        met("2025-10-03 PM", "2025-09-01", "2025-09-29", at="School B"),
        "Both reach ten, the first one first",
    )


def alone_on_one_day() -> Iterator[Case]:
    """Two schools that reach ten close to each other in time."""
    afternoon = [*in_week(4, 9), *half_days("O", "PM", "2025-10-03")]
    morning = [*in_week(4, 8), *half_days("O", "AM", "2025-10-03"), *in_week(3, 1)]
    yield threshold_case(
        "S-earliest-same-day",
        [school("School A", afternoon), school("School B", morning)],
        met("2025-10-03 AM", "2025-09-01", "2025-09-29", at="School B"),
        "Both on one day: the morning is first",
    )
    yield threshold_case(
        "S-together-sooner",
        [school("School A", in_week(2, 9)), school("School B", in_week(3, 5) + in_week(8, 5))],
        met("2025-11-05 AM", "2025-09-01", "2025-11-03", at="School B"),
        "Together sooner, but one alone later",
        "One school alone reaching ten settles it.",
    )
    yield threshold_case(
        "S-best-at-either",
        [school("School A", in_week(2, 10)), school("School B", in_week(20, 10) + in_week(21, 4))],
        met("2025-09-19 PM", "2025-09-01", "2025-09-15", 14),
        "The fuller ten weeks are at the other school",
    )


def own_calendars() -> Iterator[Case]:
    """Each school on its own calendar."""
    marks = [*whole_days("O", "2025-10-27", "2025-10-28", "2025-10-29", "2025-10-30", "2025-10-31")]
    yield threshold_case(
        "S-own-calendar-open",
        [school("School A", marks), school("School B", marks, school_calendar=LATER)],
        met("2025-10-31 PM", "2025-09-01", "2025-10-27", at="School B"),
        "Half term at one school, not at the other",
    )
    marks = [*whole_days("O", "2025-11-03", "2025-11-04", "2025-11-05", "2025-11-06", "2025-11-07")]
    yield threshold_case(
        "S-own-calendar-closed",
        [school("School A", in_week(2, 2)), school("School B", marks, school_calendar=LATER)],
        not_met(2),
        "Absent from a school that was shut",
    )
    marks = [
        *whole_days("O", "2025-09-08", "2025-09-09"),
        *half_days("O", "AM", "2025-09-10"),
        *whole_days("O", "2025-11-17", "2025-11-18"),
        *half_days("O", "AM", "2025-11-19"),
    ]
    yield threshold_case(
        "S-own-weeks",
        [school("School A", []), school("School B", marks, school_calendar=LATER)],
        met("2025-11-19 AM", "2025-09-08", "2025-11-17", at="School B"),
        "Ten weeks by the second school's calendar",
    )
    mornings = session_calendar([(on, "AM") for on in days_from("2025-09-01", 60)])
    yield threshold_case(
        "S-mornings-at-one",
        [
            school("School A", whole_days("D", *days_from("2025-09-15", 5))),
            school("School B", whole_days("O", *days_from("2025-09-15", 5)), school_calendar=mornings),
        ],
        not_met(5),
        "Afternoons at a school that only meets in the mornings",
    )


def together() -> Iterator[Case]:
    """No school reaches ten alone, but both do together: a person decides."""
    for first, second in ((6, 4), (9, 1), (5, 5), (9, 9)):
        yield threshold_case(
            f"S-together-{first}-{second}",
            [school("School A", in_week(2, first)), school("School B", in_week(4, second))],
            review(max(first, second)),
            f"{first} at one school and {second} at the other",
        )
    for first, second in ((5, 4), (8, 1), (9, 0), (0, 9)):
        yield threshold_case(
            f"S-short-{first}-{second}",
            [school("School A", in_week(2, first)), school("School B", in_week(4, second))],
            not_met(max(first, second)),
            f"{first} at one school and {second} at the other: nine",
        )
    yield threshold_case(
        "S-together-far-apart",
        [school("School A", in_week(2, 6)), school("School B", in_week(14, 6))],
        not_met(6),
        "Six and six, twelve school weeks apart",
    )
    yield threshold_case(
        "S-together-in-time",
        [school("School A", in_week(2, 6)), school("School B", in_week(11, 6))],
        review(6),
        "Six and six, within ten school weeks",
    )


def three_schools_or_one() -> Iterator[Case]:
    """Three schools, and a single school."""
    three = [school("School A", in_week(2, 4)), school("School B", in_week(3, 3)), school("School C", in_week(4, 3))]
    yield threshold_case("S-three-schools", three, review(4), "Four, three and three at three schools")
    yield threshold_case("S-three-schools-nine", [*three[:2], school("School C", in_week(4, 2))], not_met(4), "Four, three and two")
    yield threshold_case(
        "S-one-school-nine",
        [school("School A", in_week(2, 9))],
        not_met(9),
        "Nine at a single school is not for review",
    )
    yield threshold_case(
        "S-empty-second",
        [school("School A", in_week(2, 9)), school("School B", [])],
        not_met(9),
        "Nothing at the second school",
    )


def same_session() -> Iterator[Case]:
    """A date and session recorded at both schools is one session."""
    six = in_week(2, 6)
    yield threshold_case(
        "S-duplicates",
        [school("School A", six), school("School B", six + in_week(4, 3))],
        not_met(9),
        "Six at both schools, three more at one",
        "Six and three: nine sessions.",
    )
    yield threshold_case(
        "S-duplicates-ten",
        [school("School A", six + in_week(3, 1)), school("School B", six + in_week(4, 3))],
        review(9),
        "Six at both schools, and four others",
    )


def shared_days() -> Iterator[Case]:
    """Two schools that share a day."""
    yield threshold_case(
        "S-duplicates-other-code",
        [school("School A", in_week(2, 9, "O")), school("School B", in_week(2, 9, "G"))],
        not_met(9),
        "Nine at both schools under different codes",
    )
    yield threshold_case(
        "S-d-at-main-school",
        [
            school("School A", [*whole_days("D", *days_from("2025-09-15", 3)), *whole_days("O", "2025-09-18", "2025-09-19")]),
            school("School B", whole_days("O", *days_from("2025-09-15", 3))),
        ],
        review(6),
        "D at the main school, O at the other",
        "The other school records the mark that counts.",
    )
    yield threshold_case(
        "S-halves-differ",
        [
            school("School A", half_days("O", "AM", *days_from("2025-09-15", 5))),
            school("School B", half_days("O", "PM", *days_from("2025-09-15", 5))),
        ],
        review(5),
        "Mornings at one school, afternoons at the other",
    )


def dealt_with_at_either() -> Iterator[Case]:
    """Sessions already dealt with are left out at every school."""
    ten = in_week(2, 10)
    yield threshold_case(
        "S-dealt-at-either",
        [school("School A", in_week(4, 3)), school("School B", ten)],
        not_met(6),
        "Sessions dealt with, at whichever school",
        dealt_with=sessions("2025-09-15 AM", "2025-09-15 PM", "2025-09-16 AM", "2025-09-16 PM"),
    )
    yield threshold_case(
        "S-dealt-makes-review",
        [school("School A", in_week(4, 4)), school("School B", ten)],
        review(6),
        "Six left at one and four at the other",
        dealt_with=sessions("2025-09-15 AM", "2025-09-15 PM", "2025-09-16 AM", "2025-09-16 PM"),
    )


def corrected() -> Iterator[Case]:
    """Corrections stay with the school whose register they correct."""
    ten = in_week(2, 10)
    yield threshold_case(
        "S-corrected-at-second",
        [
            school("School A", in_week(4, 1)),
            school(
                "School B",
                ten,
                amendments=[
                    amended("I", "PM", "2025-09-19", "2025-09-24"),
                    amended("I", "AM", "2025-09-19", "2025-09-24"),
                ],
            ),
        ],
        not_met(8),
        "Two corrected at the second school: nine together",
    )
    yield threshold_case(
        "S-correction-stays-at-its-school",
        [school("School A", ten), school("School B", [], amendments=[amended("I", "PM", "2025-09-19", "2025-09-24")])],
        met("2025-09-19 PM", "2025-09-01", "2025-09-15"),
        "A correction at one school leaves the other's mark",
    )


def young_or_moved() -> Iterator[Case]:
    """A child too young at both schools, and a move between schools."""
    yield threshold_case(
        "S-age-at-both",
        [school("School A", in_week(2, 6)), school("School B", in_week(4, 6))],
        not_met(0),
        "Too young at both schools",
        dob="2021-04-01",
    )
    yield threshold_case(
        "S-moved-school",
        [
            school("School A", in_week(5, 6), school_calendar=calendar((("2025-09-02", "2025-10-24"),), ())),
            school("School B", in_week(8, 4), school_calendar=calendar((("2025-11-03", "2025-12-19"),), ())),
        ],
        review(6),
        "Moved school at half term",
    )


CASES: tuple[Case, ...] = (
    *alone(),
    *alone_on_one_day(),
    *own_calendars(),
    *together(),
    *three_schools_or_one(),
    *same_session(),
    *shared_days(),
    *dealt_with_at_either(),
    *corrected(),
    *young_or_moved(),
)
