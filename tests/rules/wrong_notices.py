"""Wrong engines for notices: the literal one with a single step done wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.almanac import ONE_DAY
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

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
}
