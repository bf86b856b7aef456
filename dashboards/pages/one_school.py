"""One school compared with its authority and with England, and the drill to year groups and pupils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.comparison import Comparison, Row, comparison, rate_of
from dashboards.comparison_words import formatted_rate
from dashboards.controls import MeasureFilters, PupilsFilters, school_in
from dashboards.events import LISTED
from dashboards.figures import weekly_lines
from portal.audit.actions import record_alone
from portal.pupils.queries import lines_of, names_of
from portal.registers.queries import waits_for_recount
from portal.registers.views.summaries import pupil_absences, year_groups
from portal.rules.date_words import short_date
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    import plotly.graph_objects as go

YEAR_GROUP_ORDER = ("N1", "N2", "R", *(str(number) for number in range(1, 15)))


def compared(values: Mapping[str, str], arguments: Mapping[str, str]) -> Comparison:
    """The comparison for an address."""
    school = school_in(values)
    alone = scope.current().schools is not None
    filters = MeasureFilters(arguments).check()
    return comparison(school.id, school.phase, filters.year.data, filters.measure.data, alone=alone)


def figure(values: Mapping[str, str], arguments: Mapping[str, str]) -> go.Figure | None:
    """The chart of the school, the authority's average and England by week. None where there are no marks."""
    weeks = compared(values, arguments)
    return weekly_lines(weeks.frame, labels=weeks.labels) if weeks.rows else None


def contents(values: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The contents of the page: the finding, the filters, the table and the year groups."""
    school, filters = school_in(values), MeasureFilters(arguments).check()
    year = filters.year.data
    groups = sorted(
        year_groups(school.id, year), key=lambda sums: YEAR_GROUP_ORDER.index(sums.group) if sums.group in YEAR_GROUP_ORDER else 99
    )
    return {
        "school": school,
        "list_name": _list_name(school.id),
        "comparison": compared(values, arguments),
        "filters": filters,
        "recounting": waits_for_recount(year, school.id),
        "table_rows": table_rows,
        "groups": [(sums, rate_of([sums], filters.measure.data)) for sums in groups],
    }


def _list_name(school_id: UUID) -> str | None:
    """The name of the list of schools the reader came from. None where it would hold this school only."""
    bound = scope.current().schools
    if bound is None:
        return "Every school"
    return "Your schools" if bound != {school_id} else None


def table_rows(rows: Sequence[Row]) -> list[list[object]]:
    """The chart's figures as rows of the table below it, newest week first."""
    return [
        [
            short_date(row.week),
            formatted_rate(row.school),
            formatted_rate(row.authority),
            row.schools or None,
            formatted_rate(row.nation),
        ]
        for row in reversed(rows)
    ]


def pupils(values: Mapping[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
    """The pupils of a school or year group, with the sessions each has missed. The reading is audited."""
    school, filters = school_in(values), PupilsFilters(arguments).check()
    year, group = filters.year.data, filters.year_group.data or None
    lines = [line for line in lines_of(school.id, year) if group in {None, line.year_group}]
    record_alone(LISTED, school.id, academic_year=year, year_group=group)
    by_pupil = {line.pupil_id: line for line in lines}
    names = names_of(list(by_pupil))
    summaries = pupil_absences(school.id, year, list(by_pupil))
    rows = [(summary, names[summary.pupil_id], by_pupil[summary.pupil_id]) for summary in summaries if summary.pupil_id in names]
    recounting = waits_for_recount(year, school.id)
    return {"school": school, "rows": rows, "filters": filters, "group": group, "recounting": recounting}
