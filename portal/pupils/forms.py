"""Forms of pupils: find one, filter the list, and take a record back from a child."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from wtforms.validators import Length

from portal.pupils.domain.incoming import YEAR_GROUPS
from portal.pupils.queries import PupilFilter
from portal.web.fields import HiddenField, SelectField, TextAreaField, TextField, choices, required_text
from portal.web.forms import FilterForm, Form

if TYPE_CHECKING:
    from collections.abc import Mapping


def _printable(text: str | None) -> str | None:
    """The text without control characters and code points that no page may hold."""
    return text and "".join(character for character in text if character.isprintable())


class FindForm(Form):
    """Search by name, date of birth, UPN or reference.

    Sent in the request's body, because none of them may appear in addresses.
    """

    name = TextField(
        "Name, date of birth, UPN or reference",
        [required_text("Enter a name, a date of birth, a UPN or a reference"), Length(max=100)],
        hint="For example: Benjamin Adams; Adams, B; or 1 September 2012",
        filters=[_printable],
        look={"classes": "govuk-input--width-20", "autocomplete": "off", "spellcheck": False},
    )
    after = HiddenField()


class PupilFilters(FilterForm):
    """The filters of the list of pupils."""

    school = SelectField("School")
    year_group = SelectField(
        "Year group", name="year-group", choices=choices([("", "Every year group"), *((group, group) for group in YEAR_GROUPS)])
    )
    show = SelectField("Who to show", choices=choices({"": "On roll now", "everyone": "Leavers too"}))

    def __init__(self, arguments: Mapping[str, str], schools: Mapping[str, str]) -> None:
        """Offer the schools in scope: id to name."""
        super().__init__(arguments)
        self.school.choices = choices([("", "Every school"), *schools.items()])

    def as_query(self, text: str | None = None) -> PupilFilter:
        """The filters as the query takes them. A search for a text finds leavers too, whom people ask about years later."""
        return PupilFilter(
            school_id=UUID(self.school.data) if self.school.data else None,
            year_group=self.year_group.data or None,
            text=text,
            includes_leavers=text is not None or self.show.data == "everyone",
        )


class UnlinkForm(Form):
    """The reason for taking a record back from the child it was linked to."""

    reason = TextAreaField(
        "Why are these different children?",
        [required_text("Say why the records are about different children"), Length(max=1000)],
        hint="The reason stays with the link, beside your name. Only the authority sees it.",
    )
