"""Wrong engines for service and payment: the literal one with a single step done wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.almanac import MOVED_HOLIDAYS, ONE_DAY, bank_holidays, day, easter
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json


class TwoDaysAfterPosting(Engine):
    """Two days after posting, whatever they are."""

    def is_working_day(self, on: date) -> bool:
        """Every day."""
        del on
        return True


class SaturdaysWorked(Engine):
    """The post comes on Saturdays."""

    def is_working_day(self, on: date) -> bool:
        """Not Sundays."""
        return on.isoweekday() != 7 and on not in bank_holidays(on.year)


class WeekendsOnly(Engine):
    """Bank holidays forgotten."""

    def is_working_day(self, on: date) -> bool:
        """Monday to Friday."""
        return on.isoweekday() < 6


class GoodFridayWorked(Engine):
    """Good Friday forgotten: it is no bank holiday by statute."""

    def is_working_day(self, on: date) -> bool:
        """Good Friday too."""
        return super().is_working_day(on) or on == easter(on.year) - 2 * ONE_DAY


class NoSubstitutes(Engine):
    """Substitute days forgotten."""

    def is_working_day(self, on: date) -> bool:
        """Only the days themselves."""
        substitute = (on.month, on.day) in {(12, 27), (12, 28), (1, 2), (1, 3)} and on.isoweekday() < 6
        return substitute or super().is_working_day(on) or str(on) in MOVED_HOLIDAYS


class NextWorkingDay(Engine):
    """The first working day after posting."""

    def received(self, service: Json) -> date:
        """One, not two."""
        if service["method"] == "by_hand":
            return super().received(service)
        on = day(service["posted_on"]) + ONE_DAY
        while not self.is_working_day(on):
            on += ONE_DAY
        return on


class PostingDayCounts(Engine):
    """The day of posting is the first working day."""

    def received(self, service: Json) -> date:
        """From the day before."""
        if service["method"] == "by_hand":
            return super().received(service)
        return super().received({**service, "posted_on": str(day(service["posted_on"]) - ONE_DAY)})


class HandToNextWorkingDay(Engine):
    """Delivery by hand moved to a working day."""

    def received(self, service: Json) -> date:
        """Never a weekend."""
        on = super().received(service)
        while not self.is_working_day(on):
            on += ONE_DAY
        return on


class DayAfterIsDayOne(Engine):
    """Day 1 is the day after the day received."""

    def nth_day(self, received: date, number: int) -> date:
        """A day more."""
        return super().nth_day(received, number + 1)


class DeadlinesMoved(Engine):
    """Deadlines on a weekend moved to Monday."""

    def nth_day(self, received: date, number: int) -> date:
        """To a weekday."""
        on = super().nth_day(received, number)
        while on.isoweekday() > 5:
            on += ONE_DAY
        return on


class LastDayTooLate(Engine):
    """Days 21 and 28 themselves too late."""

    def due(self, notice: str, received: date, on: date) -> int:
        """A day early."""
        return super().due(notice, received, on + ONE_DAY)


class SecondAtEighty(Engine):
    """A second notice payable at £80."""

    def due(self, notice: str, received: date, on: date) -> int:
        """As a first."""
        del notice
        return super().due("first", received, on)


class PartsAddedUp(Engine):
    """Part payments added up."""

    def known(self, case: Json) -> list[Json]:
        """One payment of the sum."""
        known = super().known(case)
        return [{**known[-1], "amount": sum(each["amount"] for each in known)}] if known else []


class FutureKnown(Engine):
    """Payments after the day asked about known already."""

    def known(self, case: Json) -> list[Json]:
        """All."""
        return list(case["payments"])


class AnyPaymentDischarges(Engine):
    """Any payment closes the notice."""

    def position(self, case: Json, received: date) -> tuple[str, int | None]:
        """Discharged."""
        return ("discharged", 0) if self.known(case) else super().position(case, received)


class LatePaymentAccepted(Engine):
    """A payment of £160 discharges whenever it comes."""

    def position(self, case: Json, received: date) -> tuple[str, int | None]:
        """However late."""
        enough = [each for each in self.known(case) if each["amount"] >= 160]
        return ("discharged", 0) if enough else super().position(case, received)


class ExactAmountOnly(Engine):
    """Only the very amount discharges."""

    def position(self, case: Json, received: date) -> tuple[str, int | None]:
        """Not a pound more."""
        known = self.known(case)
        exact = [each for each in known if each["amount"] == self.due(case["notice"], received, day(each["paid_on"]))]
        return super().position(case, received) if exact or not known else ("check", None)


class CheckLapses(Engine):
    """After day 28 a part payment is forgotten."""

    def position(self, case: Json, received: date) -> tuple[str, int | None]:
        """Prosecute or withdraw."""
        found = super().position(case, received)
        late = day(case["as_at"]) > self.nth_day(received, 28)
        return ("prosecute_or_withdraw", None) if late and found[0] == "check" else found


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
