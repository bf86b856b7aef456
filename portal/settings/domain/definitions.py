"""Every setting of an authority: its words, its default, the values it takes, and who confirms it.

The defaults are those of `rules.policy`, which never decide against a family.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from portal.rules.policy import (
    DEFAULT_POLICY,
    LONGEST_NOTICE_TO_IMPROVE,
    SHORTEST_NOTICE_TO_IMPROVE,
    DayKind,
    Doubt,
    MixedDays,
    Payments,
    TwoSchools,
    Window,
    WithdrawnHoliday,
)
from portal.settings.domain.kinds import Choice, Pounds, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

    from portal.settings.domain.kinds import Kind, Value

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GUIDANCE = "Working together to improve school attendance, chapter 6"
NOTICES, REGISTERS, RETURNS, FIGURES = "Penalty notices", "Registers and codes", "Returns", "Figures"
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Definition:
    """One setting. With `counted`, stored totals depend on it and are recalculated when it changes.

    A setting of the rules' policy has the name of its field there; `fewest_schools` alone is none of them.
    """

    name: str
    group: str
    label: str
    help: str
    kind: Kind
    default: Value
    source: str
    confirmed_by: str
    counted: bool = False


def _answers(options: type[StrEnum]) -> Choice:
    """An enumeration of the rules as a choice. Its names are stored: their words may be put better one day."""
    return Choice(MappingProxyType({option.name: option.value[:1].upper() + option.value[1:] for option in options}))


_DAYS = Choice(MappingProxyType({str(number): name for number, name in enumerate(WEEKDAYS)}))
_INSIDE = Choice(
    MappingProxyType({YES: "The pupil is of compulsory school age on that day", NO: "Compulsory school age ends the day before"})
)

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "window",
        NOTICES,
        "How ten school weeks are measured",
        "Ten sessions of unauthorised absence within ten school weeks meet the national threshold. Whole weeks end with the week "
        "of the latest session. Rolling back to the day finds a few more pupils.",
        _answers(Window),
        DEFAULT_POLICY.window.name,
        GUIDANCE,
        "the authority",
        counted=True,
    ),
    Definition(
        "week_starts_on",
        NOTICES,
        "Day on which a school week starts",
        "The Department for Education does not fix the day. It moves where a window of ten school weeks begins and ends.",
        _DAYS,
        str(DEFAULT_POLICY.week_starts_on),
        GUIDANCE,
        "the authority",
        counted=True,
    ),
    Definition(
        "last_friday_inside",
        NOTICES,
        "The last Friday in June of Year 11",
        "Whether the school leaving date itself still belongs to compulsory school age.",
        _INSIDE,
        YES if DEFAULT_POLICY.last_friday_inside else NO,
        "Education Act 1996, section 8(4); SI 1997/1970",
        "the authority’s solicitor",
        counted=True,
    ),
    Definition(
        "two_schools",
        NOTICES,
        "A pupil on the registers of two schools",
        "What happens when no school reaches the threshold alone, but their sessions together do.",
        _answers(TwoSchools),
        DEFAULT_POLICY.two_schools.name,
        GUIDANCE,
        "the authority",
    ),
    Definition(
        "anniversary",
        NOTICES,
        "An earlier notice exactly three years old",
        "Whether a notice counts towards the limit of two on the anniversary of its issue.",
        _answers(Doubt),
        DEFAULT_POLICY.anniversary.name,
        GUIDANCE,
        "the authority’s solicitor",
    ),
    Definition(
        "acquitted",
        NOTICES,
        "An earlier notice that ended in an acquittal",
        "Whether a notice counts towards the limit of two when its parent was later acquitted.",
        _answers(Doubt),
        DEFAULT_POLICY.acquitted.name,
        GUIDANCE,
        "the authority’s solicitor",
    ),
    Definition(
        "issued_for_earlier_absence",
        NOTICES,
        "A notice for absences before 19 August 2024",
        "Whether a notice issued on or after that day, for absences before it, counts towards the limit of two.",
        _answers(Doubt),
        DEFAULT_POLICY.issued_for_earlier_absence.name,
        GUIDANCE,
        "the Department for Education and the authority",
    ),
    Definition(
        "payments",
        NOTICES,
        "Part payments and instalments",
        "Whether a notice can be paid in parts.",
        _answers(Payments),
        DEFAULT_POLICY.payments.name,
        "SI 2007/1867, as amended by SI 2024/210",
        "the authority’s finance team",
    ),
    Definition(
        "service_working_days",
        NOTICES,
        "When a notice sent by first-class post is received",
        "How many working days after it was posted.",
        Whole(1, 10, "working day"),
        DEFAULT_POLICY.service_working_days,
        "SI 2007/1867; Interpretation Act 1978, section 7",
        "the authority’s code of conduct",
    ),
    Definition(
        "notice_to_improve_weeks",
        NOTICES,
        "How long a notice to improve runs",
        "A notice to improve may run for 3 to 6 school weeks.",
        Whole(SHORTEST_NOTICE_TO_IMPROVE, LONGEST_NOTICE_TO_IMPROVE, "school week"),
        DEFAULT_POLICY.notice_to_improve_weeks,
        GUIDANCE,
        "the authority’s code of conduct",
    ),
    Definition(
        "excluded_pupil_amounts",
        NOTICES,
        "Penalty for an excluded pupil in a public place",
        "The reduced amount and the full one, in pounds. Change them only when the regulations do.",
        Pounds(),
        [DEFAULT_POLICY.excluded_pupil_amounts.reduced, DEFAULT_POLICY.excluded_pupil_amounts.full],
        "SI 2007/1867, regulation 4(1)",
        "the regulations",
    ),
    Definition(
        "unexplained_days",
        REGISTERS,
        "Days to find the reason for code N",
        "After this many days a mark of N becomes O if the reason is still unknown.",
        Whole(1, 20, "day"),
        DEFAULT_POLICY.unexplained_days,
        "SI 2024/208, regulation 10(7) to (9)",
        "the authority",
    ),
    Definition(
        "unexplained_day_kind",
        REGISTERS,
        "Kind of days to find the reason for code N",
        "The regulations count school days. The guidance of July 2026 also says working days.",
        _answers(DayKind),
        DEFAULT_POLICY.unexplained_day_kind.name,
        "SI 2024/208, regulation 10(7) to (9)",
        "the authority",
    ),
    Definition(
        "withdrawn_holiday",
        REGISTERS,
        "Code H after 18 August 2024",
        "H ended on that day, and some schools still send it. A school may also match it to another code for itself.",
        _answers(WithdrawnHoliday),
        DEFAULT_POLICY.withdrawn_holiday.name,
        "SI 2024/208, regulation 10",
        "the authority",
    ),
    Definition(
        "mixed_days",
        RETURNS,
        "Days with different marks in the two sessions",
        "Whether such a day counts as a day of absence in a return.",
        _answers(MixedDays),
        DEFAULT_POLICY.mixed_days.name,
        "SI 2024/208, regulation 13",
        "the authority",
    ),
    Definition(
        "new_pupil_days",
        RETURNS,
        "Days to return a new pupil",
        "Within how many school days a school tells the authority of a pupil added to its register.",
        Whole(1, 20, "school day"),
        DEFAULT_POLICY.new_pupil_days,
        "SI 2024/208",
        "the regulations",
    ),
    Definition(
        "fewest_schools",
        FIGURES,
        "Fewest schools in an average shown to a school",
        "From an average of fewer schools, one of them could work out another’s figure.",
        Whole(3, 50, "school"),
        3,
        "the portal’s own rule on small numbers",
        "the authority",
    ),
)
BY_NAME: Mapping[str, Definition] = MappingProxyType({definition.name: definition for definition in DEFINITIONS})
