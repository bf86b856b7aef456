"""Parts of the Children's Wellbeing and Schools Act 2026 that are not yet in force.

Royal Assent 29 April 2026 (2026 c.21). No commencement date was known in June 2026. When a part is commenced, its
`in_force_from` is set below; nothing else changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from portal.rules.date_words import date_in_words
from portal.rules.explanations import Fact, Source

ACT = "Children's Wellbeing and Schools Act 2026"
ROYAL_ASSENT = date(2026, 4, 29)


@dataclass(frozen=True, slots=True)
class ActPart:
    """One part of the Act: its effect, and the day it comes into force (None: not yet known)."""

    name: str
    effect: str
    in_force_from: date | None
    source: Source

    def is_in_force(self, on: date) -> bool:
        """Whether the part is in force on a day."""
        return self.in_force_from is not None and on >= self.in_force_from

    def commencing_on(self, on: date) -> ActPart:
        """The same part, in force from a day."""
        return replace(self, in_force_from=on)

    @property
    def sentence(self) -> str:
        """The state of the part in plain words."""
        if self.in_force_from is None:
            return f"Not in force: {self.effect}"
        return f"In force from {date_in_words(self.in_force_from)}: {self.effect}"

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The day it comes into force."""
        return (Fact("In force from", date_in_words(self.in_force_from) if self.in_force_from else "no date known"),)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The part of the Act."""
        return (self.source,)


CONSENT_TO_WITHDRAW = ActPart(
    "consent to withdraw",
    "the authority's consent is needed to withdraw some children from school to be educated at home.",
    None,
    Source(ACT, "around section 37", note="Section number and conditions to be confirmed."),
)
CHILDREN_NOT_IN_SCHOOL = ActPart(
    "children not in school register",
    "authorities keep a register of children not in school, which can include part-time and arranged provision.",
    None,
    Source(ACT, "section 38: new sections 436B to 436G of the Education Act 1996"),
)
SCHOOL_ATTENDANCE_ORDERS = ActPart(
    "school attendance orders",
    "school attendance orders in England begin with a preliminary notice, under section 436I.",
    None,
    Source(ACT, "section 39 onwards, and Schedule 2", note="Detail and penalties to be confirmed."),
)
ACT_PARTS: tuple[ActPart, ...] = (CONSENT_TO_WITHDRAW, CHILDREN_NOT_IN_SCHOOL, SCHOOL_ATTENDANCE_ORDERS)
