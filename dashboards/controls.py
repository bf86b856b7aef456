"""The filters of a dashboard, read from the address and checked against the values on offer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort

from dashboards.comparison import MEASURES
from portal.platform import clock
from portal.platform.refusals import must_exist
from portal.pupils.domain.incoming import YEAR_GROUPS
from portal.rules.calendar import academic_year, academic_year_name
from portal.schools.queries import school

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.schools.models import School

#: The number of academic years on offer, this one included.
YEARS_BACK = 3


def school_in(values: Mapping[str, str]) -> School:
    """The school in the address. A school outside the scope is a 404."""
    return must_exist(school(UUID(values["school"])))


def measure_in(arguments: Mapping[str, str]) -> str:
    """The measure in the address, otherwise attendance. An unknown measure is a 400."""
    measure = arguments.get("measure", "attendance")
    if measure not in MEASURES:
        abort(400)
    return measure


def year_group_in(arguments: Mapping[str, str]) -> str | None:
    """The year group in the address, or None. Anything else is a 400, so that no free text is recorded."""
    year_group = arguments.get("year-group")
    if year_group is not None and year_group not in YEAR_GROUPS:
        abort(400)
    return year_group


def years() -> dict[str, str]:
    """The academic years on offer, newest first: the first calendar year and the name ("2026": "2026/27")."""
    newest = academic_year(clock.today())
    return {str(year): academic_year_name(year) for year in range(newest, newest - YEARS_BACK, -1)}


def year_in(arguments: Mapping[str, str]) -> int:
    """The academic year in the address, otherwise the present one. A year not on offer is a 400."""
    offered_years = years()
    year = arguments.get("year", next(iter(offered_years)))
    if year not in offered_years:
        abort(400)
    return int(year)
