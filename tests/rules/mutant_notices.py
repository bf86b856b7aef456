"""Wrong engines for notices: the reference with a single step done wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.calendars import ONE_DAY
from tests.rules.reference import Engine

if TYPE_CHECKING:
    from datetime import date

    from tests.rules.casebook.building import Json


class PerChild(Engine):
    """Notices are counted per child, to any parent."""

    def is_about(self, notice: Json, parent: str, case: Json) -> bool:
        """To any parent."""
        del parent
        return bool(notice["child"] == case["child"])


class PerParent(Engine):
    """Notices are counted per parent, for any child."""

    def is_about(self, notice: Json, parent: str, case: Json) -> bool:
        """For any child."""
        del case
        return bool(notice["parent"] == parent)


class OwnAuthorityOnly(Engine):
    """Only notices issued by one's own authority are counted."""

    def is_about(self, notice: Json, parent: str, case: Json) -> bool:
        """Issued by LA-A."""
        return super().is_about(notice, parent, case) and notice["issued_by"] == "LA-A"


class WithdrawnCounted(Engine):
    """Withdrawn notices are counted."""

    def can_count(self, notice: Json) -> bool:
        """Withdrawn or not."""
        return super().can_count({**notice, "status": "paid"})


class PaidOnly(Engine):
    """Only paid notices are counted."""

    def can_count(self, notice: Json) -> bool:
        """Paid."""
        return super().can_count(notice) and notice["status"] in {"paid", "prosecuted_acquitted"}


class OutstandingIgnored(Engine):
    """Notices that are still payable are not counted."""

    def can_count(self, notice: Json) -> bool:
        """Not still payable."""
        return super().can_count(notice) and notice["status"] != "outstanding"


class OldNoticesCounted(Engine):
    """Notices issued before 19 August 2024 are counted."""

    def can_count(self, notice: Json) -> bool:
        """Issued on any day."""
        return bool(notice["power"] == "s444A" and notice["status"] != "withdrawn")


class FrameworkDayLate(Engine):
    """Notices issued on the framework's first day are left out."""

    def can_count(self, notice: Json) -> bool:
        """After the first day."""
        return super().can_count(notice) and notice["issued_on"] > "2024-08-19"


class BothPowersCounted(Engine):
    """Excluded-pupil notices are counted too."""

    def can_count(self, notice: Json) -> bool:
        """Either power."""
        return super().can_count({**notice, "power": "s444A"})


class AnniversaryInside(Engine):
    """A notice on its anniversary is counted without a check."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """Inside."""
        return super().three_year_position(issued, proposed).replace("edge", "inside")


class AnniversaryOutside(Engine):
    """A notice on its anniversary is left out without a check."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """Outside."""
        return super().three_year_position(issued, proposed).replace("edge", "outside")


class ThreeTimes365(Engine):
    """Three years are 1,095 days."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """By days."""
        days = (proposed - issued).days
        return "later" if days < 0 else "edge" if days == 1095 else "inside" if days < 1095 else "outside"


class CalendarYears(Engine):
    """The three years are calendar years."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """By year."""
        return super().three_year_position(issued.replace(month=1, day=1), proposed.replace(month=1, day=2))


class LeapDayToMarch(Engine):
    """The anniversary of 29 February is 1 March."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """1 March."""
        leap = (issued.month, issued.day) == (2, 29)
        return super().three_year_position(issued + ONE_DAY if leap else issued, proposed)


class LaterNoticesCounted(Engine):
    """Notices issued after the proposed date are counted."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """Inside."""
        return super().three_year_position(issued, proposed).replace("later", "inside")


class SameDayIgnored(Engine):
    """The proposed date itself is left out of the three years."""

    def three_year_position(self, issued: date, proposed: date) -> str:
        """A notice of the same day is outside."""
        return "outside" if issued == proposed else super().three_year_position(issued, proposed)


class AcquittedCounted(Engine):
    """An acquittal is counted without a check."""

    def possible_counts(self, notice: Json, proposed: date) -> set[int]:
        """One."""
        return super().possible_counts({**notice, "status": "paid"}, proposed)


class AcquittedIgnored(Engine):
    """An acquittal is left out without a check."""

    def possible_counts(self, notice: Json, proposed: date) -> set[int]:
        """Nothing."""
        return {0} if notice["status"] == "prosecuted_acquitted" else super().possible_counts(notice, proposed)


class AnyDoubtChecked(Engine):
    """Every doubt gives a check, even where it makes no difference."""

    def result_for_counts(self, counts: set[int]) -> str:
        """Check."""
        return "check" if len(counts) > 1 else super().result_for_counts(counts)


class ThirdAllowed(Engine):
    """A third notice is allowed, at £160."""

    def result_for_count(self, number: int) -> str:
        """No limit."""
        return "first" if number == 0 else "second"


class SecondReduced(Engine):
    """A second notice is £80 if paid early."""

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
    LaterNoticesCounted: "N-years-2026-03-28-2026-03-27",
    SameDayIgnored: "N-years-2026-03-27-2026-03-27",
    AcquittedCounted: "P08",
    AcquittedIgnored: "P08",
    AnyDoubtChecked: "N-edge-and-two",
    ThirdAllowed: "P04",
    SecondReduced: "P02",
    OldAmounts: "P01",
}
