"""The filters: read from the address and from nowhere else, each against its own short list."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import abort

from dashboards.comparison import MEASURES
from portal import clock
from portal.pupils.incoming import YEAR_GROUPS
from portal.rules.calendar import academic_year, academic_year_name
from portal.schools.queries import school

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.schools.models import School

#: How many academic years back a comparison may be asked for.
YEARS_BACK = 3


def school_in(values: Mapping[str, str]) -> School:
    """The school an address names, if it is within scope; otherwise the page is not there."""
    found = school(UUID(values["school"]))
    if found is None:
        abort(404)
    return found


def measure_in(arguments: Mapping[str, str]) -> str:
    """The measure asked for, attendance when none is; anything unknown is a 400."""
    asked = arguments.get("measure", "attendance")
    if asked not in MEASURES:
        abort(400)
    return asked


def year_group_in(arguments: Mapping[str, str]) -> str | None:
    """The year group asked for, None when none is; anything that is no year group is a 400, and reaches no record."""
    asked = arguments.get("year-group")
    if asked is not None and asked not in YEAR_GROUPS:
        abort(400)
    return asked


def years() -> dict[str, str]:
    """The academic years on offer, newest first: "2026" to "2026/27"."""
    newest = academic_year(clock.today())
    return {str(year): academic_year_name(year) for year in range(newest, newest - YEARS_BACK, -1)}


def year_in(arguments: Mapping[str, str]) -> int:
    """The academic year asked for, the present one when none is; anything not on offer is a 400."""
    offered = years()
    asked = arguments.get("year", next(iter(offered)))
    if asked not in offered:
        abort(400)
    return int(asked)
