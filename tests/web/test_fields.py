"""Forms: what was typed is shown again, and errors say what to do and link to their field."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lxml.html
import pytest
import wtforms
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms.validators import Length, NumberRange, Optional

from portal.web.fields import CheckboxField, DateField, NumberField, TextField, check, month_number, required
from portal.web.forms import Form
from portal.web.wtforms_messages import PLAIN_MESSAGES
from tests.support.page_law import check_page
from tests.web.component_gallery import GalleryForm
from tests.web.content import faults_of

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

REQUIRED = [
    "Enter your full name",
    "Enter your email address",
    "Enter your password",
    "Enter the number of places",
    "Choose what is in the file",
    "Tick to say you have checked the week",
    "Enter the first day",
    "Choose the file to send",
]


class DayForm(Form):
    """A form with a date alone."""

    served = DateField("Date served", [required("Enter the date the notice was served")], subject="the date the notice was served")


class ShortForm(Form):
    """A form whose fields have validators."""

    year = NumberField(
        "Year group", [Optional(), NumberRange(0, 13), check("Enter a year group you teach", lambda year: year != 5)]
    )
    name = TextField("Name", [Length(2, 5)])
    agree = CheckboxField("I agree", hint="You can change this later")


def submit(client: FlaskClient, **values: str) -> str:
    page = client.get("/form").text
    [csrf_token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    response = client.post("/form", data={"csrf_token": csrf_token, **values})
    assert response.status_code == 422
    assert check_page(response.text, 422) == []
    return response.text


def validated(form_class: type[Form], app: Flask, **typed: str) -> Any:
    with app.test_request_context("/", method="POST"):
        app.config["WTF_CSRF_ENABLED"] = False
        form = form_class(MultiDict(typed))
        form.validate()
        app.config["WTF_CSRF_ENABLED"] = True
    return form


def test_an_empty_form_shows_every_error_beside_its_field_and_in_the_summary(client: FlaskClient) -> None:
    page = lxml.html.document_fromstring(submit(client))
    assert [link.text_content().strip() for link in page.xpath("//div[contains(@class, 'govuk-error-summary')]//a")] == REQUIRED
    field_errors = [error.text_content().replace("Error:", "").strip() for error in page.xpath("//p[@class='govuk-error-message']")]
    assert field_errors == REQUIRED
    assert page.findtext(".//title").startswith("Error: Send a file")


def test_what_was_typed_is_shown_again_except_passwords(client: FlaskClient) -> None:
    typed = {
        "name": '<b>"Zoë"</b>',
        "email": "zoe@example.test",
        "word": "a long secret",
        "place_count": "twelve",
        "year": "9",
        "kind": "pupils",
        "flags": "PM",
        "agree": "y",
        "first_day-day": "31",
        "first_day-month": "Feb",
        "first_day-year": "2026",
        "note": "Because </textarea>",
        "token": "kept",
    }
    text = submit(client, **typed)
    page = lxml.html.document_fromstring(text)
    values = {
        field.get("name"): field.get("value") for field in page.xpath("//input[@type='text' or @type='email' or @type='password']")
    }
    assert values == {
        "name": typed["name"],
        "email": typed["email"],
        "word": None,
        "place_count": "twelve",
        "first_day-day": "31",
        "first_day-month": "Feb",
        "first_day-year": "2026",
    }
    assert {field.get("value") for field in page.xpath("//input[@checked] | //option[@selected]")} == {"9", "pupils", "PM", "y"}
    assert page.xpath("//textarea")[0].text_content().strip() == typed["note"]
    assert page.xpath("//input[@name='token']")[0].get("value") == "kept"
    assert "a long secret" not in text
    assert "Enter a whole number, like 12" in text
    assert "The first day must be a real date, like 7 9 2026" in text


@pytest.mark.parametrize(
    ("typed", "error", "anchor"),
    [
        (("", "", ""), "Enter the date the notice was served", "served-day"),
        (("7", "", "2026"), "The date the notice was served must include a month", "served-month"),
        (("", "", "2026"), "The date the notice was served must include a day and a month", "served-day"),
        (("31", "2", "2026"), "The date the notice was served must be a real date, like 7 9 2026", "served-day"),
        (("7", "Nonsense", "2026"), "The date the notice was served must be a real date, like 7 9 2026", "served-day"),
        (("7", "9", "99999999999999999999"), "The date the notice was served must be a real date, like 7 9 2026", "served-day"),
        (("\u0663\u0661", "2", "x"), "The date the notice was served must be a real date, like 7 9 2026", "served-day"),
    ],
)
def test_an_unreadable_date_has_one_error(gallery: Flask, typed: tuple[str, str, str], error: str, anchor: str) -> None:
    form = validated(DayForm, gallery, **dict(zip(("served-day", "served-month", "served-year"), typed, strict=True)))
    assert list(form.served.errors) == [error]
    assert form.served.anchor == anchor
    with gallery.test_request_context():
        assert f'href="#{anchor}"' in form.summary()
        assert f'id="{anchor}"' in form.served()


@given(
    st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)), st.sampled_from(["%m", "%B", "%b", "%b."]), st.booleans()
)
def test_a_date_typed_in_any_usual_way_is_read(gallery: Flask, day: date, month_format: str, short_year: bool) -> None:
    typed = {
        "served-day": f" {day.day} ",
        "served-month": f"{day:{month_format}}",
        "served-year": f"{day:%y}" if short_year else str(day.year),
    }
    form = validated(DayForm, gallery, **typed)
    assert (form.served.data, form.errors) == (day, {})


def test_a_given_date_is_shown_in_the_boxes(gallery: Flask) -> None:
    with gallery.test_request_context():
        html = DayForm(served=date(2026, 9, 7)).served()
    assert [box.get("value") for box in lxml.html.fragment_fromstring(html).xpath(".//input")] == ["7", "9", "2026"]


def test_months_are_numbers_or_their_names() -> None:
    assert [month_number(typed) for typed in ("9", "September", "sept", "SEP.", "may")] == [9, 9, 9, 9, 5]
    for typed in ("", "ma", "x", "septembre"):
        with pytest.raises(ValueError, match=f"^{typed}$"):
            month_number(typed)


def test_validators_use_the_portals_words(gallery: Flask) -> None:
    form = validated(ShortForm, gallery, year="14", name="x")
    assert form.errors == {"year": ["Enter a number from 0 to 13"], "name": ["Enter between 2 and 5 characters"]}
    assert validated(ShortForm, gallery, year="5", name="abc").errors == {"year": ["Enter a year group you teach"]}
    assert validated(ShortForm, gallery, year="", name=" abc ").name.data == "abc"


def test_an_error_found_by_an_action_is_shown_beside_its_field(gallery: Flask) -> None:
    form = validated(ShortForm, gallery, name="abc")
    form.add_error("name", "Choose a name nobody else has")
    assert form.has_errors()
    with gallery.test_request_context():
        assert 'href="#name"' in form.summary()
        assert "Choose a name nobody else has" in form.name()


def test_a_single_checkbox_is_described_by_its_hint(gallery: Flask) -> None:
    with gallery.test_request_context():
        page = lxml.html.fragment_fromstring(ShortForm().agree())
    [box] = page.xpath(".//input")
    assert page.xpath(".//*[@id=$hint]", hint=box.get("aria-describedby"))[0].text_content().strip() == "You can change this later"


def test_the_token_has_no_id_so_that_two_forms_fit_on_a_page(gallery: Flask) -> None:
    with gallery.test_request_context():
        assert re.fullmatch(r'<input type="hidden" name="csrf_token" value="[^"]+">', GalleryForm().hidden_tag())


def test_every_message_of_wtforms_has_plain_words() -> None:
    paths = [module.__file__ for module in (wtforms.validators, wtforms.fields.choices, wtforms.fields.numeric, wtforms.csrf.core)]
    messages = set()
    for path in paths:
        text = Path(str(path)).read_text(encoding="utf-8")
        # A message may be split over several adjacent string literals.
        calls = re.findall(r"\.gettext\(\s*((?:\"[^\"]*\"\s*)+)", text)
        messages |= {"".join(re.findall(r'"([^"]*)"', literals)) for literals in calls}
    sentences = {words for words in messages if re.search(r"[a-z] ", words) and "None" not in words}
    assert len(sentences) > 10
    missing = {words for words in sentences if faults_of(words) or "valid" in words.casefold()} - set(PLAIN_MESSAGES)
    assert missing == NOT_USED


#: Messages of validators the portal has no field for.
NOT_USED: set[str] = {"Invalid field name '%s'.", "Invalid IP address.", "Invalid Mac address.", "Invalid URL.", "Invalid UUID."}


@pytest.mark.parametrize("words", sorted(PLAIN_MESSAGES.values()))
def test_messages_say_what_to_do(words: str) -> None:
    assert faults_of(words) == []
    assert words.partition(" ")[0] in {"Enter", "Choose", "Shorten", "Send"}
