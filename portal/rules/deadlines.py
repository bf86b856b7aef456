"""Dates that follow from a date: service and payment of a notice, and the time limit for prosecution.

No date is moved for a weekend or a holiday unless the rule says so. Day 1 of a notice is the day it is received.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules import bank_holidays
from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source, pluralise
from portal.rules.policy import DEFAULT_POLICY, Payments, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from portal.rules.framework import Amounts

SERVICE_SOURCE = Source(
    "Local codes of conduct",
    "first-class post counts as received on the second working day after posting",
    note="The authority confirms its own code.",
)
WORKING_DAY_SOURCE = Source(bank_holidays.SOURCE)
TIME_LIMIT_SOURCE = Source("Magistrates' Courts Act 1980", "section 127: six months from the offence")
#: Magistrates' Courts Act 1980, section 127.
TIME_LIMIT_MONTHS = 6


class Method(StrEnum):
    """How a notice was served."""

    FIRST_CLASS_POST = "first_class_post"
    BY_HAND = "by_hand"


class Position(StrEnum):
    """The state of a notice on a day: what may be paid, or what follows."""

    PAYABLE = "payable"
    DISCHARGED = "discharged"
    PROSECUTE_OR_WITHDRAW = "prosecute_or_withdraw"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment towards a notice: the day, and the amount in pounds."""

    paid_on: date
    amount: int | float


def received_on(method: Method, on: date, policy: Policy = DEFAULT_POLICY) -> date:
    """The day a notice posted or delivered on a day counts as received."""
    if method is Method.BY_HAND:
        return on
    return bank_holidays.working_day_after(on, policy.service_working_days)


@dataclass(frozen=True, slots=True)
class PaymentTimetable:
    """When a notice was received, when each amount is due, and its position on the day `as_at`.

    `known_payments` are those made on or before `as_at`. `last_day_reduced` is None when there is no reduced amount.
    `amount_due` is None when nothing can be paid any more or a person must check.
    """

    received_on: date
    amounts: Amounts
    last_day_reduced: date | None
    last_day_full: date
    as_at: date
    known_payments: tuple[Payment, ...]
    position: Position
    amount_due: int | None

    @property
    def sentence(self) -> str:
        """The position in plain words."""
        if self.position is Position.PAYABLE:
            last_day = self.last_day_full
            if self.last_day_reduced is not None and self.as_at <= self.last_day_reduced:
                last_day = self.last_day_reduced
            received = date_in_words(self.received_on)
            return f"£{self.amount_due} is due by {date_in_words(last_day)}. The notice was received on {received}."
        if self.position is Position.DISCHARGED:
            return "The notice has been paid in full and in time. Nothing more can follow for the period it covers."
        if self.position is Position.PROSECUTE_OR_WITHDRAW:
            return (
                f"The notice was not paid by {date_in_words(self.last_day_full)}. "
                "The authority decides whether to prosecute the original offence or withdraw the notice."
            )
        return "The payments are not one payment in full and in time. A person checks what should happen."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The dates and payments the position rests on."""
        reduced = date_in_words(self.last_day_reduced) if self.last_day_reduced else "There is no reduced amount"
        return (
            Fact("Received (day 1)", date_in_words(self.received_on)),
            Fact(f"Last day to pay £{self.amounts.reduced}", reduced),
            Fact(f"Last day to pay £{self.amounts.full}", date_in_words(self.last_day_full)),
            *(Fact(f"Paid {date_in_words(payment.paid_on)}", f"£{payment.amount}") for payment in self.known_payments),
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The regulations on amounts, and the rules on service."""
        return (self.amounts.source, SERVICE_SOURCE, WORKING_DAY_SOURCE)


def amount_due_on(on: date, received: date, amounts: Amounts) -> int:
    """The amount that discharges a notice on a day, up to the last day for the full amount."""
    # Strictly less: the day received is day 1, so it is 0 days after itself.
    return amounts.reduced if (on - received).days < amounts.reduced_days else amounts.full


def _is_discharged(payments: Sequence[Payment], due: Iterable[tuple[date, int]], policy: Policy) -> bool:
    if policy.payments is Payments.IN_FULL:
        if len(payments) != 1:
            return False
        payment = payments[0]
        return any(payment.paid_on <= last_day and payment.amount >= amount for last_day, amount in due)
    return any(sum(payment.amount for payment in payments if payment.paid_on <= last_day) >= amount for last_day, amount in due)


def payment_timetable(
    received: date,
    amounts: Amounts,
    payments: Sequence[Payment],
    as_at: date,
    policy: Policy = DEFAULT_POLICY,
) -> PaymentTimetable:
    """The timetable and position of a notice, from the payments made on or before `as_at`.

    One payment by the last day, of at least what was due on the day it was made, discharges the notice. Any other
    payment is for a person to check, on any day, unless the policy adds part payments up.
    """
    last_day_reduced = received + timedelta(days=amounts.reduced_days - 1)
    last_day_full = received + timedelta(days=amounts.full_days - 1)
    known_payments = tuple(payment for payment in payments if payment.paid_on <= as_at)
    # CHECK is the default, so that a case no rule covers goes to a person and is never decided by accident.
    position, amount_due = Position.CHECK, None
    if _is_discharged(known_payments, ((last_day_reduced, amounts.reduced), (last_day_full, amounts.full)), policy):
        position, amount_due = Position.DISCHARGED, 0
    elif not known_payments and as_at <= last_day_full:
        position, amount_due = Position.PAYABLE, amount_due_on(as_at, received, amounts)
    elif not known_payments:
        position = Position.PROSECUTE_OR_WITHDRAW
    return PaymentTimetable(
        received_on=received,
        amounts=amounts,
        last_day_reduced=None if amounts.is_flat else last_day_reduced,
        last_day_full=last_day_full,
        as_at=as_at,
        known_payments=known_payments,
        position=position,
        amount_due=amount_due,
    )


def months_after(on: date, months: int) -> date:
    """The same day some months later, or that month's last day if it has no such day."""
    # Months from 0 to 11 for the division, because 12 would otherwise carry December into the next year.
    years, month_from_zero = divmod(on.month - 1 + months, 12)
    year, month = on.year + years, month_from_zero + 1
    return date(year, month, min(on.day, monthrange(year, month)[1]))


def last_day_to_lay(offence_on: date) -> date:
    """The last day to lay an information about an offence: six calendar months after it."""
    return months_after(offence_on, TIME_LIMIT_MONTHS)


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """The time limit for each session relied on.

    `offences` has for each the day of the offence, the last day to lay the information, and whether it is in time.
    `as_at` is the day the information was, or would be, laid.
    """

    offences: tuple[tuple[date, date, bool], ...]
    as_at: date

    @property
    def all_in_time(self) -> bool:
        """Whether every offence is in time."""
        return all(in_time for _, _, in_time in self.offences)

    @property
    def last_day(self) -> date | None:
        """The last day on which all of them can be laid: that of the first session relied on."""
        return min((last_day for _, last_day, _ in self.offences), default=None)

    @property
    def days_left(self) -> int | None:
        """Days from `as_at` to the last day for all of them; negative once it has passed."""
        return None if self.last_day is None else (self.last_day - self.as_at).days

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        if self.last_day is None:
            return "No sessions are relied on, so there is no time limit to count."
        if self.all_in_time:
            return f"Every session relied on is in time. The last day for all of them is {date_in_words(self.last_day)}."
        late = sum(not in_time for _, _, in_time in self.offences)
        return f"{pluralise(late, 'session').capitalize()} relied on {'is' if late == 1 else 'are'} out of time."

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Each session's last day."""
        return tuple(
            Fact(f"Offence {date_in_words(offence)}", f"last day {date_in_words(last_day)}{'' if in_time else ': out of time'}")
            for offence, last_day, in_time in self.offences
        )

    @property
    def sources(self) -> tuple[Source, ...]:
        """The Act that sets the limit."""
        return (TIME_LIMIT_SOURCE,)


def time_limit(offence_dates: Iterable[date], laid_on: date) -> TimeLimit:
    """Whether an information laid on a day is in time for each offence, in the order given."""
    return TimeLimit(tuple((on, last_day_to_lay(on), laid_on <= last_day_to_lay(on)) for on in offence_dates), laid_on)
