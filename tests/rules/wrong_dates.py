"""Wrong engines for notices, payments, ages and time limits: the literal one with a single step done wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.rules.reference import MOVED_HOLIDAYS, ONE_DAY, Engine, bank_holidays, day, easter

if TYPE_CHECKING:
    from tests.rules.casebook.building import Json


class PerChild(Engine):
    """Notices counted per child, whoever the parent."""

    def concerns(self, notice: Json, parent: str, case: Json) -> bool:
        """The child's."""
        del parent
        return bool(notice["child"] == case["child"])


class PerParent(Engine):
    """Notices counted per parent, whichever the child."""

    def concerns(self, notice: Json, parent: str, case: Json) -> bool:
        """The parent's."""
        del case
        return bool(notice["parent"] == parent)


class OwnAuthorityOnly(Engine):
    """Only our own notices counted."""

    def concerns(self, notice: Json, parent: str, case: Json) -> bool:
        """Issued by LA-A."""
        return super().concerns(notice, parent, case) and notice["issued_by"] == "LA-A"


class WithdrawnCounted(Engine):
    """Withdrawn notices counted."""

    def is_of_the_kind(self, notice: Json) -> bool:
        """Withdrawn or not."""
        return super().is_of_the_kind({**notice, "status": "paid"})


class PaidOnly(Engine):
    """Only paid notices counted."""

    def is_of_the_kind(self, notice: Json) -> bool:
        """Paid."""
        return super().is_of_the_kind(notice) and notice["status"] in {"paid", "prosecuted_acquitted"}


class OutstandingIgnored(Engine):
    """Notices still payable not counted."""

    def is_of_the_kind(self, notice: Json) -> bool:
        """Not still payable."""
        return super().is_of_the_kind(notice) and notice["status"] != "outstanding"


class OldNoticesCounted(Engine):
    """Notices before 19 August 2024 counted."""

    def is_of_the_kind(self, notice: Json) -> bool:
        """Whenever issued."""
        return bool(notice["power"] == "s444A" and notice["status"] != "withdrawn")


class FrameworkDayLate(Engine):
    """The framework's first day left out."""

    def is_of_the_kind(self, notice: Json) -> bool:
        """After the first day."""
        return super().is_of_the_kind(notice) and notice["issued_on"] > "2024-08-19"


class BothPowersCounted(Engine):
    """Excluded-pupil notices counted too."""

    def is_of_the_kind(self, notice: Json) -> bool:
        """Either power."""
        return super().is_of_the_kind({**notice, "power": "s444A"})


class AnniversaryInside(Engine):
    """The anniversary counted without a check."""

    def years_before(self, issued: date, proposed: date) -> str:
        """Inside."""
        return super().years_before(issued, proposed).replace("edge", "inside")


class AnniversaryOutside(Engine):
    """The anniversary left out without a check."""

    def years_before(self, issued: date, proposed: date) -> str:
        """Outside."""
        return super().years_before(issued, proposed).replace("edge", "outside")


class ThreeTimes365(Engine):
    """Three years of 365 days."""

    def years_before(self, issued: date, proposed: date) -> str:
        """By days."""
        days = (proposed - issued).days
        return "later" if days < 0 else "edge" if days == 1095 else "inside" if days < 1095 else "outside"


class CalendarYears(Engine):
    """The calendar year of the proposed date and the three before it."""

    def years_before(self, issued: date, proposed: date) -> str:
        """By year."""
        return super().years_before(issued.replace(month=1, day=1), proposed.replace(month=1, day=2))


class LeapDayToMarch(Engine):
    """The anniversary of 29 February on 1 March."""

    def years_before(self, issued: date, proposed: date) -> str:
        """1 March."""
        leap = (issued.month, issued.day) == (2, 29)
        return super().years_before(issued + ONE_DAY if leap else issued, proposed)


class LaterOnesCounted(Engine):
    """Notices issued after the proposed date counted."""

    def years_before(self, issued: date, proposed: date) -> str:
        """Inside."""
        return super().years_before(issued, proposed).replace("later", "inside")


class SameDayIgnored(Engine):
    """The proposed date itself left out of the three years."""

    def years_before(self, issued: date, proposed: date) -> str:
        """Not today."""
        return "outside" if issued == proposed else super().years_before(issued, proposed)


class AcquittedCounted(Engine):
    """An acquittal counted without a check."""

    def weight(self, notice: Json, proposed: date) -> set[int]:
        """One."""
        return super().weight({**notice, "status": "paid"}, proposed)


class AcquittedIgnored(Engine):
    """An acquittal left out without a check."""

    def weight(self, notice: Json, proposed: date) -> set[int]:
        """Nothing."""
        return {0} if notice["status"] == "prosecuted_acquitted" else super().weight(notice, proposed)


class AnyDoubtChecked(Engine):
    """A check whenever there is doubt, even where it makes no difference."""

    def settle(self, counts: set[int]) -> str:
        """Check."""
        return "check" if len(counts) > 1 else super().settle(counts)


class ThirdAllowed(Engine):
    """A third notice at £160."""

    def kind(self, number: int) -> str:
        """No limit."""
        return "first" if number == 0 else "second"


class SecondReduced(Engine):
    """A second notice at £80 if paid early."""

    def amounts(self, result: str) -> tuple[int | None, int | None]:
        """£80 and £160."""
        return (80, 160) if result == "second" else super().amounts(result)


class OldAmounts(Engine):
    """The amounts before 19 August 2024."""

    def amounts(self, result: str) -> tuple[int | None, int | None]:
        """£60 and £120."""
        return (60, 120) if result == "first" else super().amounts(result)


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


class TermAfterBirthday(Engine):
    """A birthday on a prescribed day waits for the next one."""

    def first_day(self, dob: date) -> date:
        """Strictly after."""
        return super().first_day(dob + ONE_DAY)


class FirstOfTheMonth(Engine):
    """The age starts on the first day of the term's month, not the prescribed day."""

    def first_day(self, dob: date) -> date:
        """The day after."""
        return super().first_day(dob) + ONE_DAY


class CalendarYearOfSixteen(Engine):
    """The June of the calendar year of the sixteenth birthday."""

    def last_day(self, dob: date) -> date:
        """Whatever the month."""
        return super().last_day(dob.replace(month=1, day=1))


class LastSchoolDayInJune(Engine):
    """The last weekday in June."""

    def last_day(self, dob: date) -> date:
        """Any weekday."""
        on = date(super().last_day(dob).year, 6, 30)
        while on.isoweekday() > 5:
            on -= ONE_DAY
        return on


class ExclusiveEnd(Engine):
    """The last day itself left out."""

    def is_of_age(self, dob: date, on: date) -> bool:
        """Strictly before."""
        return self.first_day(dob) <= on < self.last_day(dob)


class HundredAndEightyTwoDays(Engine):
    """Six months of 182 days."""

    def last_day_to_lay(self, offence: date) -> date:
        """By days."""
        return offence + timedelta(days=182)


class OffenceDayCounted(Engine):
    """The day of the offence counted as the first day."""

    def last_day_to_lay(self, offence: date) -> date:
        """A day less."""
        return super().last_day_to_lay(offence) - ONE_DAY


class OverflowsToNextMonth(Engine):
    """A day the month does not have runs into the next."""

    def last_day_to_lay(self, offence: date) -> date:
        """31 February is 3 March."""
        last = super().last_day_to_lay(offence)
        return last + (offence.day - last.day) * ONE_DAY


class MonthEndKept(Engine):
    """A month's end stays a month's end."""

    def last_day_to_lay(self, offence: date) -> date:
        """28 February to 31 August."""
        last = super().last_day_to_lay(offence)
        at_end = (offence + ONE_DAY).day == 1
        while at_end and (last + ONE_DAY).day != 1:
            last += ONE_DAY
        return last


class LimitMoved(Engine):
    """A last day on a weekend or holiday moved on."""

    def last_day_to_lay(self, offence: date) -> date:
        """To a working day."""
        last = super().last_day_to_lay(offence)
        while not self.is_working_day(last):
            last += ONE_DAY
        return last


class LastDayOutOfTime(Engine):
    """Laying on the last day out of time."""

    def in_time(self, laid: date, last: date) -> bool:
        """Strictly before."""
        return laid < last


class OneLimitForAll(Engine):
    """The last offence's limit used for all."""

    def time_limit(self, case: Json) -> Json:
        """In time if the last is."""
        answer = super().time_limit(case)
        every = any(each["in_time"] for each in answer["offences"]) or not answer["offences"]
        return {**answer, "all_in_time": every}


#: Each wrong engine, and a case that catches it.
CAUGHT: dict[type[Engine], str] = {
    PerChild: "P02",
    PerParent: "P03",
    OwnAuthorityOnly: "N-other-authority",
    WithdrawnCounted: "P06",
    PaidOnly: "P07",
    OutstandingIgnored: "N-status-outstanding",
    OldNoticesCounted: "P05",
    FrameworkDayLate: "N-years-2024-08-19-2024-09-30",
    BothPowersCounted: "N-s105-two",
    AnniversaryInside: "N-years-2024-08-19-2027-08-19",
    AnniversaryOutside: "N-years-2024-08-19-2027-08-19",
    ThreeTimes365: "N-years-2025-03-01-2028-02-29",
    CalendarYears: "N-years-2025-12-01-2028-06-01",
    LeapDayToMarch: "N-years-2028-02-29-2031-02-28",
    LaterOnesCounted: "N-years-2026-03-28-2026-03-27",
    SameDayIgnored: "N-years-2026-03-27-2026-03-27",
    AcquittedCounted: "P08",
    AcquittedIgnored: "P08",
    AnyDoubtChecked: "N-edge-and-two",
    ThirdAllowed: "P04",
    SecondReduced: "P02",
    OldAmounts: "P01",
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
    TermAfterBirthday: "C-2015-03-31",
    FirstOfTheMonth: "C-2014-03-10",
    CalendarYearOfSixteen: "C-2015-09-01",
    LastSchoolDayInJune: "C-2010-03-10",
    ExclusiveEnd: "C-2010-03-10",
    HundredAndEightyTwoDays: "L-2025-01-15-last-day",
    OffenceDayCounted: "L-2025-01-15-last-day",
    OverflowsToNextMonth: "L-2025-08-31-last-day",
    MonthEndKept: "L-2025-02-28-day-after",
    LimitMoved: "L-2025-06-25-day-after",
    LastDayOutOfTime: "L-2025-01-15-last-day",
    OneLimitForAll: "L-several",
}
