"""Wrong engines for service and payment: the reference with a single step done wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.calendars import MOVED_HOLIDAYS, ONE_DAY, bank_holidays, day, easter
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json


class TwoDaysAfterPosting(Engine):
    """A notice is received two calendar days after posting."""

    def is_working_day(self, on: date) -> bool:
        """Every day."""
        del on
        return True


class SaturdaysWorked(Engine):
    """Saturdays are working days."""

    def is_working_day(self, on: date) -> bool:
        """Not Sundays."""
        return on.isoweekday() != 7 and on not in bank_holidays(on.year)


class WeekendsOnly(Engine):
    """Bank holidays are working days."""

    def is_working_day(self, on: date) -> bool:
        """Monday to Friday."""
        return on.isoweekday() < 6


class GoodFridayWorked(Engine):
    """Good Friday is a working day, because no statute makes it a bank holiday."""

    def is_working_day(self, on: date) -> bool:
        """Good Friday too."""
        return super().is_working_day(on) or on == easter(on.year) - 2 * ONE_DAY


class NoSubstitutes(Engine):
    """Substitute days are working days."""

    def is_working_day(self, on: date) -> bool:
        """Only the days themselves."""
        substitute = (on.month, on.day) in {(12, 27), (12, 28), (1, 2), (1, 3)} and on.isoweekday() < 6
        return substitute or super().is_working_day(on) or str(on) in MOVED_HOLIDAYS


class NextWorkingDay(Engine):
    """A notice is received on the first working day after posting."""

    def received_on(self, service: Json) -> date:
        """One, not two."""
        if service["method"] == "by_hand":
            return super().received_on(service)
        on = day(service["posted_on"]) + ONE_DAY
        while not self.is_working_day(on):
            on += ONE_DAY
        return on


class PostingDayCounts(Engine):
    """The day of posting is the first working day."""

    def received_on(self, service: Json) -> date:
        """From the day before."""
        if service["method"] == "by_hand":
            return super().received_on(service)
        return super().received_on({**service, "posted_on": str(day(service["posted_on"]) - ONE_DAY)})


class HandToNextWorkingDay(Engine):
    """Delivery by hand is moved to a working day."""

    def received_on(self, service: Json) -> date:
        """Never a weekend."""
        on = super().received_on(service)
        while not self.is_working_day(on):
            on += ONE_DAY
        return on


class DayAfterIsDayOne(Engine):
    """Day 1 is the day after the day received."""

    def nth_day(self, received: date, number: int) -> date:
        """A day more."""
        return super().nth_day(received, number + 1)


class DeadlinesMoved(Engine):
    """Deadlines on a weekend are moved to Monday."""

    def nth_day(self, received: date, number: int) -> date:
        """To a weekday."""
        on = super().nth_day(received, number)
        while on.isoweekday() > 5:
            on += ONE_DAY
        return on


class LastDayTooLate(Engine):
    """Days 21 and 28 themselves are too late."""

    def amount_due(self, notice: str, received: date, on: date) -> int:
        """A day early."""
        return super().amount_due(notice, received, on + ONE_DAY)


class SecondAtEighty(Engine):
    """A second notice is payable at £80."""

    def amount_due(self, notice: str, received: date, on: date) -> int:
        """As a first."""
        del notice
        return super().amount_due("first", received, on)


class PartsAddedUp(Engine):
    """Part payments are added up."""

    def known_payments(self, case: Json) -> list[Json]:
        """One payment of the sum."""
        payments = super().known_payments(case)
        return [{**payments[-1], "amount": sum(payment["amount"] for payment in payments)}] if payments else []


class FutureKnown(Engine):
    """Payments after `as_at` are known already."""

    def known_payments(self, case: Json) -> list[Json]:
        """All."""
        return list(case["payments"])


class AnyPaymentDischarges(Engine):
    """Any payment closes the notice."""

    def position_and_amount(self, case: Json, received: date) -> tuple[str, int | None]:
        """Discharged."""
        return ("discharged", 0) if self.known_payments(case) else super().position_and_amount(case, received)


class LatePaymentAccepted(Engine):
    """A payment of £160 discharges whenever it comes."""

    def position_and_amount(self, case: Json, received: date) -> tuple[str, int | None]:
        """However late."""
        full_payments = [payment for payment in self.known_payments(case) if payment["amount"] >= 160]
        return ("discharged", 0) if full_payments else super().position_and_amount(case, received)


class ExactAmountOnly(Engine):
    """Only the exact amount discharges."""

    def position_and_amount(self, case: Json, received: date) -> tuple[str, int | None]:
        """Not a pound more."""
        payments = self.known_payments(case)
        exact = [
            payment
            for payment in payments
            if payment["amount"] == self.amount_due(case["notice"], received, day(payment["paid_on"]))
        ]
        return super().position_and_amount(case, received) if exact or not payments else ("check", None)


class CheckLapses(Engine):
    """A part payment no longer needs a check after day 28."""

    def position_and_amount(self, case: Json, received: date) -> tuple[str, int | None]:
        """Prosecute or withdraw."""
        position, amount_due = super().position_and_amount(case, received)
        is_late = day(case["as_at"]) > self.nth_day(received, 28)
        return ("prosecute_or_withdraw", None) if is_late and position == "check" else (position, amount_due)


#: Each wrong engine, and a case that catches it.
CAUGHT: dict[type[Engine], str] = {
    TwoDaysAfterPosting: "T-post-2025-02-06",
    SaturdaysWorked: "T-post-2025-02-06",
    WeekendsOnly: "T-post-2025-05-01",
    GoodFridayWorked: "T-post-2025-04-17",
    NoSubstitutes: "T-post-2026-12-24",
    NextWorkingDay: "T-post-2025-02-03",
    PostingDayCounts: "T-post-2025-02-03",
    HandToNextWorkingDay: "T-hand-2025-12-25",
    DayAfterIsDayOne: "T-paid-day-22",
    DeadlinesMoved: "T-sunday-day-21",
    LastDayTooLate: "T-paid-day-21",
    SecondAtEighty: "T-paid-second-80",
    PartsAddedUp: "T-paid-parts",
    FutureKnown: "T-paid-paid-later",
    AnyPaymentDischarges: "T-paid-one-short",
    LatePaymentAccepted: "T-paid-day-29-full",
    ExactAmountOnly: "T-paid-over",
    CheckLapses: "T-paid-check-long-after",
}
