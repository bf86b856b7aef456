"""The filters of the dashboards, as typed fields that check the address and draw themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from dashboards.comparison import MEASURES, PHASE_PLURALS
from portal.platform import clock
from portal.platform.refusals import must_exist
from portal.pupils.domain.incoming import YEAR_GROUPS
from portal.rules.calendar import academic_year, academic_year_name
from portal.schools.queries import school
from portal.web.fields import SelectField, choices
from portal.web.forms import FilterForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.schools.models import School

#: The number of academic years on offer, this one included.
YEARS_BACK = 3


def school_in(values: Mapping[str, str]) -> School:
    """The school in the address. A school outside the scope is a 404."""
    return must_exist(school(UUID(values["school"])))


class YearFilters(FilterForm):
    """The academic year, newest first; this one unless the address says otherwise."""

    year = SelectField("School year", coerce=int)

    def __init__(self, arguments: Mapping[str, str]) -> None:
        """Offer this year and those before it."""
        newest = academic_year(clock.today())
        super().__init__(arguments, year=newest)
        years = range(newest, newest - YEARS_BACK, -1)
        self.year.choices = choices((str(year), academic_year_name(year)) for year in years)

    @property
    def year_name(self) -> str:
        """The chosen year as pages write it: 2026/27."""
        return academic_year_name(self.year.data)


class MeasureFilters(YearFilters):
    """The measure and the year: attendance unless the address says otherwise."""

    measure = SelectField("Measure", choices=choices(MEASURES), default=next(iter(MEASURES)))

    @property
    def measure_name(self) -> str:
        """The chosen measure as pages write it."""
        return MEASURES[self.measure.data]


class SchoolsFilters(MeasureFilters):
    """The filters of the page of every school."""

    phase = SelectField(
        "Phase", choices=choices([("", "All phases"), *((phase, words.capitalize()) for phase, words in PHASE_PLURALS.items())])
    )


class PupilsFilters(YearFilters):
    """The filters of a school's pupils. Only year groups of the list are taken, so that no free text is recorded."""

    year_group = SelectField(
        "Year group", name="year-group", choices=choices([("", "Every year group"), *((group, group) for group in YEAR_GROUPS)])
    )
