"""The filters of a pupil's attendance record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wtforms.validators import Optional

from portal.web.fields import DayField, SelectField, choices
from portal.web.forms import FilterForm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from uuid import UUID


class RecordFilters(FilterForm):
    """Which school and year the record shows, and the day whose register it is."""

    line = SelectField("School and year", validate_choice=False)
    as_at = DayField("Show the register as at", [Optional()], name="as-at", look={"classes": "govuk-input--width-10"})

    def __init__(self, arguments: Mapping[str, str], lines: Iterable[tuple[UUID, str]], line_id: UUID) -> None:
        """Offer the pupil's roll lines in scope. The page answers 404 for any other, so that nobody learns of it."""
        super().__init__(arguments, line=str(line_id))
        self.line.choices = choices((str(option_id), name) for option_id, name in lines)

    def past_day(self, today: date) -> date | None:
        """The past day asked for; None for today, and for a day to come."""
        day: date | None = self.as_at.data
        return day if day is not None and day < today else None
