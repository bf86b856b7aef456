"""How long the law has registers kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.rules.codes import REGULATIONS_START
from portal.rules.explanations import Source

if TYPE_CHECKING:
    from datetime import date

REGISTER_ENTRY_SOURCE = Source(
    "School Attendance (Pupil Registration) (England) Regulations 2024 (SI 2024/208)",
    "every entry in the admission and attendance registers is kept for six years",
    first_day=REGULATIONS_START,
    note="It was three years before. The number of the regulation is to be confirmed.",
)
#: From the day an entry is made. It is the shortest time, not the longest.
REGISTER_ENTRY_YEARS = 6


def first_day_kept(today: date, years: int) -> date:
    """The first day whose rows are still kept: a time of whole years begins with the day itself."""
    is_leap_day = (today.month, today.day) == (2, 29)
    # Of a year without 29 February the day before is taken, so that nothing is due a day early.
    return today.replace(year=today.year - years, day=28 if is_leap_day else today.day)
