"""One school beside its authority and the nation, by week and to date, and the drill to its year groups and pupils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.comparison import MEASURES, Comparison, Row, comparison, rate_of, shown_rate
from dashboards.controls import measure_in, school_in, year_group_in, year_in, years
from dashboards.figures import weekly_lines
from portal import scope
from portal.audit.actions import record_alone
from portal.audit.events import event
from portal.pupils.queries import lines_of, names_of
from portal.registers.overview import pupil_standings, year_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    import plotly.graph_objects as go

LISTED = event("pupils.listed", "A school's pupils and their sessions were listed", "academic_year", "year_group")
ORDER = ("N1", "N2", "R", *(str(number) for number in range(1, 15)))


def compared(values: Mapping[str, str], arguments: Mapping[str, str]) -> Comparison:
    """The comparison an address asks for."""
    school = school_in(values)
    alone = scope.current().schools is not None
    return comparison(school.id, school.phase, year_in(arguments), measure_in(arguments), alone=alone)


def figure(values: Mapping[str, str], arguments: Mapping[str, str]) -> go.Figure | None:
    """The school's weeks, the authority's average and England's as lines; None where there are no marks."""
    found = compared(values, arguments)
    return weekly_lines(found.frame, labels=found.labels) if found.rows else None


def contents(values: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The page: the finding, the filters, the table and the year groups."""
    school, measure, year = school_in(values), measure_in(arguments), year_in(arguments)
    groups = sorted(year_groups(school.id, year), key=lambda one: ORDER.index(one.group) if one.group in ORDER else 99)
    return {
        "school": school,
        "others": _others(school.id),
        "found": compared(values, arguments),
        "measure": measure,
        "measures": MEASURES,
        "year": str(year),
        "years": years(),
        "table_rows": table_rows,
        "groups": [(one, rate_of([one], measure)) for one in groups],
    }


def _others(school_id: UUID) -> str | None:
    """What the list this school is in is called to its reader; None where it is the only one."""
    bound = scope.current().schools
    if bound is None:
        return "Every school"
    return "Your schools" if bound != {school_id} else None


def table_rows(rows: Sequence[Row]) -> list[list[object]]:
    """The chart's own numbers as the table beneath it shows them, newest week first."""
    return [
        [f"{row.week:%-d %b %Y}", shown_rate(row.school), shown_rate(row.authority), row.schools or None, shown_rate(row.nation)]
        for row in reversed(rows)
    ]


def pupils(values: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The pupils of a school, or of one of its year groups, with the sessions each has missed. The reading is recorded."""
    school, year = school_in(values), year_in(arguments)
    group = year_group_in(arguments)
    lines = [line for line in lines_of(school.id, year) if group in {None, line.year_group}]
    record_alone(LISTED, school.id, academic_year=year, year_group=group)
    by_pupil = {line.pupil_id: line for line in lines}
    names = names_of(list(by_pupil))
    found = pupil_standings(school.id, year, list(by_pupil))
    rows = [(one, names[one.pupil_id], by_pupil[one.pupil_id]) for one in found if one.pupil_id in names]
    return {"school": school, "rows": rows, "year": str(year), "years": years(), "group": group}
