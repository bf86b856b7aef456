"""Filters in an address: typed fields, and a sentence for what they do not offer."""

from __future__ import annotations

from datetime import date

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from wtforms.validators import Optional

from portal.web.fields import DayField, SelectField, TextField, choices
from portal.web.forms import FilterForm


class Filters(FilterForm):
    """One filter of each kind."""

    phase = SelectField("Phase", choices=choices({"": "Every phase", "primary": "Primary"}))
    year = SelectField("School year", coerce=int, choices=choices({"2025": "2025/26", "2026": "2026/27"}))
    as_at = DayField("As at", [Optional()], name="as-at")
    name_part = TextField("Name", name="named")


def test_filters_that_are_left_out_or_empty_have_their_defaults() -> None:
    for arguments in ({}, {"phase": "", "year": "", "as-at": ""}):
        filters = Filters(arguments, year=2026).check()
        assert (filters.phase.data, filters.year.data, filters.as_at.data, filters.in_address) == ("", 2026, None, {})


def test_values_are_typed_and_the_address_keeps_its_own_words() -> None:
    arguments = {"phase": "primary", "year": "2025", "as-at": "2026-09-07", "named": "Ann", "after": "x", "sort": "name"}
    filters = Filters(arguments, year=2026).check()
    assert (filters.phase.data, filters.year.data, filters.as_at.data) == ("primary", 2025, date(2026, 9, 7))
    assert filters.in_address == {"phase": "primary", "year": "2025", "as-at": "2026-09-07", "named": "Ann"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"phase": "everything"}, "Phase: Choose one of the answers listed."),
        ({"year": "1999"}, "School year: Choose one of the answers listed."),
        ({"year": "x"}, "School year: Choose one of the answers listed."),
        ({"as-at": "yesterday"}, "As at: Enter a day like 2026-09-07."),
        ({"surname": "Fenwick"}, "a filter that this page does not have"),
        (MultiDict([("phase", "primary"), ("phase", "")]), "holds one twice"),
    ],
)
def test_any_other_address_is_a_400_with_a_sentence(arguments: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadRequest) as error:
        Filters(arguments, year=2026).check()
    assert sentence in str(error.value.description)
    assert "Fenwick" not in str(error.value.description)


def test_a_nul_is_a_400() -> None:
    with pytest.raises(BadRequest):
        Filters({"named": "a\0"}, year=2026).check()
