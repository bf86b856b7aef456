"""Cases about service and payment: working days, days 21 and 28, and which payments discharge a notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import Case, Json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def by_post(on: str) -> Json:
    """Service by first-class post."""
    return {"method": "first_class_post", "posted_on": on}


def by_hand(on: str) -> Json:
    """Service by hand."""
    return {"method": "by_hand", "delivered_on": on}


def paid(*pairs: tuple[str, float]) -> list[Json]:
    """Payments, in date order."""
    return [{"paid_on": on, "amount": amount} for on, amount in pairs]


def timetable(
    name: str,
    service: Json,
    as_at: str,
    answer: Json,
    title: str,
    *,
    kind: str = "first",
    payments: Sequence[Json] = (),
) -> Case:
    """A payment case."""
    question = {
        "id": name,
        "check": "payment_timetable",
        "notice": kind,
        "service": service,
        "payments": list(payments),
        "as_at": as_at,
    }
    return Case(question, answer, title)


#: Posted on, received on: the second working day after posting.
POSTED = (
    ("2025-02-03", "2025-02-05", "Monday to Wednesday"),
    ("2025-02-06", "2025-02-10", "Thursday to Monday"),
    ("2025-02-07", "2025-02-11", "Friday to Tuesday"),
    ("2025-02-08", "2025-02-11", "Posted on a Saturday"),
    ("2025-02-09", "2025-02-11", "Posted on a Sunday"),
    ("2025-04-16", "2025-04-22", "The Wednesday before Easter: Thursday, then Tuesday"),
    ("2025-04-17", "2025-04-23", "Maundy Thursday: Good Friday and Easter Monday don't count"),
    ("2025-04-18", "2025-04-23", "Posted on Good Friday"),
    ("2025-05-01", "2025-05-06", "Across the early May bank holiday"),
    ("2025-05-23", "2025-05-28", "Across the spring bank holiday"),
    ("2025-08-22", "2025-08-27", "Across the summer bank holiday"),
    ("2025-12-23", "2025-12-29", "Across Christmas and Boxing Day"),
    ("2025-12-24", "2025-12-30", "Christmas Eve, a Wednesday"),
    ("2025-12-30", "2026-01-02", "Across New Year's Day"),
    ("2026-12-24", "2026-12-30", "26 December 2026 is a Saturday: Monday 28 is its substitute"),
    ("2026-12-23", "2026-12-29", "The Wednesday before: Thursday, then Tuesday"),
    ("2027-12-24", "2027-12-30", "Christmas Day 2027 is a Saturday: 27 and 28 are substitutes"),
    ("2027-12-31", "2028-01-05", "1 January 2028 is a Saturday: Monday 3 is its substitute"),
    ("2028-12-22", "2028-12-28", "Christmas 2028 on a Monday"),
    ("2028-04-13", "2028-04-19", "Easter 2028: 14 and 17 April"),
    ("2029-03-29", "2029-04-04", "Easter 2029: 30 March and 2 April"),
    ("2030-04-18", "2030-04-24", "Easter 2030: 19 and 22 April"),
    ("2024-12-24", "2024-12-30", "Christmas 2024: Wednesday and Thursday"),
    ("2024-08-23", "2024-08-28", "Across the summer bank holiday of 2024"),
    ("2026-04-02", "2026-04-08", "Easter 2026: 3 and 6 April"),
    ("2027-03-25", "2027-03-31", "Easter 2027: 26 and 29 March"),
    ("2027-05-28", "2027-06-02", "Spring bank holiday on 31 May"),
    ("2026-08-28", "2026-09-02", "Summer bank holiday on 31 August"),
)


def service() -> Iterator[Case]:
    """When a posted notice is received."""
    for posted, received, title in POSTED:
        answer = {"received_on": received, "position": "payable", "amount_due": 80}
        yield timetable(f"T-post-{posted}", by_post(posted), received, answer, title)
    for on in ("2025-02-08", "2025-04-18", "2025-12-25", "2026-12-28"):
        yield timetable(f"T-hand-{on}", by_hand(on), on, {"received_on": on}, "By hand: received that day, whatever day it is")


#: Received by hand on 3 March 2025: day 21 is 23 March, day 28 is 30 March.
RECEIVED = by_hand("2025-03-03")
DATES = {"received_on": "2025-03-03", "last_day_reduced_amount": "2025-03-23", "last_day_full_amount": "2025-03-30"}
FLAT = {**DATES, "last_day_reduced_amount": None}


#: Day asked about, position, amount due on a first notice and on a second.
UNPAID: tuple[tuple[str, str, int | None, int | None], ...] = (
    ("2025-03-03", "payable", 80, 160),
    ("2025-03-22", "payable", 80, 160),
    ("2025-03-23", "payable", 80, 160),
    ("2025-03-24", "payable", 160, 160),
    ("2025-03-30", "payable", 160, 160),
    ("2025-03-31", "prosecute_or_withdraw", None, None),
    ("2025-12-01", "prosecute_or_withdraw", None, None),
)


def positions() -> Iterator[Case]:
    """The amount due around days 21 and 28, with nothing paid."""
    for as_at, position, first, second in UNPAID:
        yield timetable(
            f"T-first-{as_at}",
            RECEIVED,
            as_at,
            {**DATES, "position": position, "amount_due": first},
            "First notice, unpaid",
        )
        yield timetable(
            f"T-second-{as_at}",
            RECEIVED,
            as_at,
            {**FLAT, "position": position, "amount_due": second},
            "Second notice, unpaid",
            kind="second",
        )


def days_not_moved() -> Iterator[Case]:
    """No day is moved for a weekend or a holiday."""
    yield timetable("T-sunday-day-21", RECEIVED, "2025-03-24", {**DATES, "amount_due": 160}, "Day 21 is a Sunday and is not moved")
    yield timetable(
        "T-christmas-day-21",
        by_hand("2025-12-05"),
        "2025-12-26",
        {
            "received_on": "2025-12-05",
            "last_day_reduced_amount": "2025-12-25",
            "last_day_full_amount": "2026-01-01",
            "position": "payable",
            "amount_due": 160,
        },
        "Day 21 is Christmas Day, day 28 New Year's Day",
    )
    yield timetable(
        "T-leap-february",
        by_hand("2028-02-09"),
        "2028-02-29",
        {
            "received_on": "2028-02-09",
            "last_day_reduced_amount": "2028-02-29",
            "last_day_full_amount": "2028-03-07",
            "position": "payable",
            "amount_due": 80,
        },
        "Day 21 is 29 February",
    )


DONE: Json = {"position": "discharged", "amount_due": 0}
CHECK: Json = {"position": "check", "amount_due": None}
#: Name, notice, payments, day asked about, answer, what it shows.
PAID: tuple[tuple[str, str, list[Json], str, Json, str], ...] = (
    ("day-21", "first", paid(("2025-03-23", 80)), "2025-03-25", DONE, "£80 on day 21"),
    ("day-22", "first", paid(("2025-03-24", 80)), "2025-03-25", CHECK, "£80 on day 22"),
    ("day-23-short", "first", paid(("2025-03-25", 80)), "2025-03-28", CHECK, "£80 on day 23: short"),
    ("day-22-full", "first", paid(("2025-03-24", 160)), "2025-03-25", DONE, "£160 on day 22"),
    ("day-28-full", "first", paid(("2025-03-30", 160)), "2025-04-25", DONE, "£160 on day 28"),
    ("day-29-full", "first", paid(("2025-03-31", 160)), "2025-04-25", CHECK, "£160 on day 29: late"),
    ("early-full", "first", paid(("2025-03-05", 160)), "2025-03-05", DONE, "£160 on day 3: more than was due"),
    ("over", "first", paid(("2025-03-05", 100)), "2025-03-05", DONE, "£100 in the first 21 days"),
    ("one-short", "first", paid(("2025-03-05", 79)), "2025-03-05", CHECK, "£79"),
    (
        "parts",
        "first",
        paid(("2025-03-12", 40), ("2025-03-22", 40)),
        "2025-03-25",
        CHECK,
        "£40 on day 10 and £40 on day 20",
    ),
    (
        "part-then-full",
        "first",
        paid(("2025-03-05", 40), ("2025-03-06", 160)),
        "2025-03-25",
        CHECK,
        "A part, then all of it",
    ),
    ("twice", "first", paid(("2025-03-05", 80), ("2025-03-06", 80)), "2025-03-25", CHECK, "Paid twice"),
    (
        "part-not-yet",
        "first",
        paid(("2025-03-12", 40), ("2025-03-22", 40)),
        "2025-03-11",
        {"position": "payable", "amount_due": 80},
        "Payments still to come are not known",
    ),
    (
        "part-one-known",
        "first",
        paid(("2025-03-12", 40), ("2025-03-22", 40)),
        "2025-03-15",
        CHECK,
        "One part known",
    ),
    (
        "second-not-yet",
        "first",
        paid(("2025-03-05", 80), ("2025-03-20", 80)),
        "2025-03-10",
        DONE,
        "The second payment is not known yet",
    ),
    (
        "paid-later",
        "first",
        paid(("2025-04-10", 160)),
        "2025-04-01",
        {"position": "prosecute_or_withdraw", "amount_due": None},
        "Paid after the day asked about",
    ),
    ("paid-today", "first", paid(("2025-03-10", 80)), "2025-03-10", DONE, "Paid on the day asked about"),
    (
        "check-long-after",
        "first",
        paid(("2025-03-12", 40)),
        "2025-08-01",
        CHECK,
        "A part payment, long after: still a check",
    ),
    ("second-80", "second", paid(("2025-03-05", 80)), "2025-03-10", CHECK, "£80 towards a second notice"),
    ("second-160", "second", paid(("2025-03-05", 160)), "2025-03-10", DONE, "£160 on day 3 of a second notice"),
    ("second-day-28", "second", paid(("2025-03-30", 160)), "2025-03-30", DONE, "£160 on day 28 of a second notice"),
    (
        "second-day-29",
        "second",
        paid(("2025-03-31", 160)),
        "2025-03-31",
        CHECK,
        "£160 on day 29 of a second notice",
    ),
    (
        "second-parts",
        "second",
        paid(("2025-03-05", 80), ("2025-03-06", 80)),
        "2025-03-10",
        CHECK,
        "Two halves of a second notice",
    ),
    ("day-1", "first", paid(("2025-03-03", 80)), "2025-03-03", DONE, "Paid the day it was received"),
)


def payments() -> Iterator[Case]:
    """One payment in full and in time discharges the notice. A person checks anything else."""
    for name, kind, made_payments, as_at, answer, title in PAID:
        dates = DATES if kind == "first" else FLAT
        yield timetable(f"T-paid-{name}", RECEIVED, as_at, {**dates, **answer}, title, kind=kind, payments=made_payments)
    posted = paid(("2025-02-25", 80))
    yield timetable(
        "T-paid-day-21-by-post",
        by_post("2025-02-03"),
        "2025-03-10",
        {
            "received_on": "2025-02-05",
            "last_day_reduced_amount": "2025-02-25",
            "last_day_full_amount": "2025-03-04",
            **DONE,
        },
        "£80 on day 21 counted from the day received, not posted",
        payments=posted,
    )


CASES: tuple[Case, ...] = (*service(), *positions(), *days_not_moved(), *payments())
