"""Forms for schools and their term dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask_wtf.file import FileRequired
from wtforms.validators import Length, NumberRange, Optional, Regexp

from portal.schools.actions import SchoolDetails
from portal.schools.domain.term_dates import ListedClosed, ListedTerm
from portal.schools.models import PHASE_NAMES
from portal.web.fields import (
    DateField,
    FileField,
    NumberField,
    RadiosField,
    SelectField,
    TextField,
    choices,
    required,
    required_text,
)
from portal.web.forms import FilterForm, Form

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from portal.schools.models import School

WIDTH_10 = {"classes": "govuk-input--width-10"}
WIDTH_2 = {"classes": "govuk-input--width-2"}
AGE_RANGE = NumberRange(0, 25, "Enter an age in whole years from 0 to 25")


def _words(field: TextField) -> str:
    return " ".join((field.data or "").split())


def _day(field: DateField) -> date:
    """The day of a required field, after the form has been validated."""
    return cast("date", field.data)


class SchoolForm(Form):
    """The details of a school."""

    name = TextField("School name", [required_text("Enter the school's name"), Length(max=200)])
    urn = TextField(
        "URN",
        [required("Enter the school's URN"), Regexp(r"^[0-9]{6}$", message="Enter a URN of 6 digits, like 123456")],
        hint="6 digits, as Get Information about Schools shows it",
        look=WIDTH_10,
    )
    laestab = TextField(
        "LAESTAB (optional)",
        [Optional(), Regexp(r"^[0-9]{3}[/ ]?[0-9]{4}$", message="Enter an LAESTAB of 7 digits, like 873/4603")],
        hint="3 digits of the authority and 4 of the school",
        look=WIDTH_10,
    )
    phase = RadiosField("Phase", [required("Choose the school's phase")], choices=choices(PHASE_NAMES))
    lowest_age = NumberField("Lowest age (optional)", [Optional(), AGE_RANGE], look=WIDTH_2)
    highest_age = NumberField("Highest age (optional)", [Optional(), AGE_RANGE], look=WIDTH_2)
    trust = TextField("Trust (optional)", [Length(max=200)])
    opened_on = DateField("Day the school opened (optional)", subject="the day the school opened")
    closed_on = DateField("Day the school closed (optional)", subject="the day the school closed")

    def show(self, school: School, trust: str | None) -> None:
        """Fill the form with the stored details."""
        self.process(obj=school, data={"trust": trust or ""})

    def details(self) -> SchoolDetails:
        """The entered details, as the actions take them."""
        return SchoolDetails(
            urn=_words(self.urn),
            name=_words(self.name),
            phase=self.phase.data or "",
            laestab="".join(character for character in self.laestab.data or "" if character.isdigit()) or None,
            lowest_age=self.lowest_age.data,
            highest_age=self.highest_age.data,
            trust=_words(self.trust) or None,
            opened_on=self.opened_on.data,
            closed_on=self.closed_on.data,
        )


class SchoolFilters(FilterForm):
    """The filter of the list of schools."""

    phase = SelectField("Phase", choices=choices([("", "Every phase"), *PHASE_NAMES.items()]))


class YearFilter(FilterForm):
    """The academic year of a page of term dates."""

    year = SelectField("Academic year", coerce=int)

    def __init__(self, arguments: Mapping[str, str], years: Mapping[int, str], current: int) -> None:
        """Offer these years, by name."""
        super().__init__(arguments, year=current)
        self.year.choices = choices((str(year), name) for year, name in years.items())


class SchoolListForm(Form):
    """A list of schools to import."""

    file = FileField(
        "List of schools",
        [FileRequired("Choose a file of schools")],
        hint="A CSV from Get Information about Schools, or one with URN, name, phase and ages",
    )


class TermForm(Form):
    """A term."""

    name = TextField("Name of the term", [required_text("Enter a name, like Autumn term"), Length(max=100)])
    first_day = DateField("First day", [required("Enter the first day of the term")], subject="the first day")
    last_day = DateField("Last day", [required("Enter the last day of the term")], subject="the last day")

    def listed(self) -> ListedTerm:
        """The entered term, as the actions take it."""
        return ListedTerm(_words(self.name), _day(self.first_day), _day(self.last_day))


class ClosedForm(Form):
    """Days on which a school does not meet."""

    name = TextField("Why it is closed", [required_text("Enter why it is closed, like INSET day"), Length(max=100)])
    first_day = DateField("First day closed", [required("Enter the first day closed")], subject="the first day closed")
    last_day = DateField("Last day closed (optional)", hint="Leave this empty for a single day", subject="the last day closed")
    session = RadiosField(
        "Part of the day",
        [required("Choose which part of the day")],
        choices=choices({"day": "The whole day", "AM": "The morning only", "PM": "The afternoon only"}),
        default="day",
    )

    def listed(self) -> ListedClosed:
        """The entered closed days, as the actions take them."""
        first_day = _day(self.first_day)
        session = None if self.session.data == "day" else self.session.data
        return ListedClosed(_words(self.name), first_day, self.last_day.data or first_day, session)


class TermDatesForm(Form):
    """A file of term dates to import."""

    file = FileField(
        "Term dates",
        [FileRequired("Choose a file of term dates")],
        hint="A CSV with type (term or closed), name, first_day and last_day, or the JSON some authorities publish",
    )
