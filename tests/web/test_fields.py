"""Forms: what was typed is kept, errors say what to do and lead to their field."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import lxml.html
import pytest
import wtforms
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms.validators import Length, NumberRange, Optional

from portal.web.fields import CheckboxField, DateField, Form, NumberField, TextField, check, month_number, required
from portal.web.wording import WORDS
from tests.support.page_law import check_page
from tests.web.content import faults_of
from tests.web.kitchen import KitchenForm

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
    """A day alone."""

    served = DateField("Date served", [required("Enter the date the notice was served")], subject="the date the notice was served")


class ShortForm(Form):
    """Fields with rules of their own."""

    year = NumberField(
        "Year group", [Optional(), NumberRange(0, 13), check("Enter a year group you teach", lambda year: year != 5)]
    )
    name = TextField("Name", [Length(2, 5)])
    agree = CheckboxField("I agree", hint="You can change this later")


def send(client: FlaskClient, **typed: str) -> str:
    page = client.get("/form").text
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    answer = client.post("/form", data={"csrf_token": token, **typed})
    assert answer.status_code == 422
    assert check_page(answer.text, 422) == []
    return answer.text


def filled(form: type[Form], app: Flask, **typed: str) -> Any:
    with app.test_request_context("/", method="POST"):
        app.config["WTF_CSRF_ENABLED"] = False
        made = form(MultiDict(typed))
        made.validate()
        app.config["WTF_CSRF_ENABLED"] = True
    return made


def test_an_empty_form_lists_every_error_in_order_beside_and_above(client: FlaskClient) -> None:
    page = lxml.html.document_fromstring(send(client))
    assert [link.text_content().strip() for link in page.xpath("//div[contains(@class, 'govuk-error-summary')]//a")] == REQUIRED
    beside = [one.text_content().replace("Error:", "").strip() for one in page.xpath("//p[@class='govuk-error-message']")]
    assert beside == REQUIRED
    assert page.findtext(".//title").startswith("Error: Send a file")


def test_what_was_typed_is_kept_and_passwords_are_not(client: FlaskClient) -> None:
    typed = {
        "name": '<b>"Zoë"</b>',
        "email": "zoe@example.test",
        "word": "a long secret",
        "places": "twelve",
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
    text = send(client, **typed)
    page = lxml.html.document_fromstring(text)
    value = {one.get("name"): one.get("value") for one in page.xpath("//input[@type='text' or @type='email' or @type='password']")}
    assert value == {
        "name": typed["name"],
        "email": typed["email"],
        "word": None,
        "places": "twelve",
        "first_day-day": "31",
        "first_day-month": "Feb",
        "first_day-year": "2026",
    }
    assert {one.get("value") for one in page.xpath("//input[@checked] | //option[@selected]")} == {"9", "pupils", "PM", "y"}
    assert page.xpath("//textarea")[0].text_content().strip() == typed["note"]
    assert page.xpath("//input[@name='token']")[0].get("value") == "kept"
    assert "a long secret" not in text
    assert "Enter a whole number, like 12" in text
    assert "The first day must be a real date, like 7 9 2026" in text


@pytest.mark.parametrize(
    ("typed", "told", "anchor"),
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
def test_a_day_that_is_none_is_told_of_once(kitchen: Flask, typed: tuple[str, str, str], told: str, anchor: str) -> None:
    form = filled(DayForm, kitchen, **dict(zip(("served-day", "served-month", "served-year"), typed, strict=True)))
    assert list(form.served.errors) == [told]
    assert form.served.anchor == anchor
    with kitchen.test_request_context():
        assert f'href="#{anchor}"' in form.summary()
        assert f'id="{anchor}"' in form.served()


@given(
    st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)), st.sampled_from(["%m", "%B", "%b", "%b."]), st.booleans()
)
def test_a_day_typed_in_any_usual_way_is_read(kitchen: Flask, day: date, month: str, short: bool) -> None:
    typed = {"served-day": f" {day.day} ", "served-month": f"{day:{month}}", "served-year": f"{day:%y}" if short else str(day.year)}
    form = filled(DayForm, kitchen, **typed)
    assert (form.served.data, form.errors) == (day, {})


def test_a_given_day_stands_in_the_boxes(kitchen: Flask) -> None:
    with kitchen.test_request_context():
        html = DayForm(served=date(2026, 9, 7)).served()
    assert [one.get("value") for one in lxml.html.fragment_fromstring(html).xpath(".//input")] == ["7", "9", "2026"]


def test_months_are_numbers_or_their_names() -> None:
    assert [month_number(typed) for typed in ("9", "September", "sept", "SEP.", "may")] == [9, 9, 9, 9, 5]
    for typed in ("", "ma", "x", "septembre"):
        with pytest.raises(ValueError, match=f"^{typed}$"):
            month_number(typed)


def test_rules_speak_in_our_words(kitchen: Flask) -> None:
    form = filled(ShortForm, kitchen, year="14", name="x")
    assert form.errors == {"year": ["Enter a number from 0 to 13"], "name": ["Enter between 2 and 5 characters"]}
    assert filled(ShortForm, kitchen, year="5", name="abc").errors == {"year": ["Enter a year group you teach"]}
    assert filled(ShortForm, kitchen, year="", name=" abc ").name.data == "abc"


def test_what_only_an_action_finds_out_stands_beside_its_field(kitchen: Flask) -> None:
    form = filled(ShortForm, kitchen, name="abc")
    form.refuse("name", "Choose a name nobody else has")
    assert form.failed()
    with kitchen.test_request_context():
        assert 'href="#name"' in form.summary()
        assert "Choose a name nobody else has" in form.name()


def test_a_hint_of_a_single_box_stands_under_it(kitchen: Flask) -> None:
    with kitchen.test_request_context():
        page = lxml.html.fragment_fromstring(ShortForm().agree())
    [box] = page.xpath(".//input")
    assert (
        page.xpath(".//*[@id=$wanted]", wanted=box.get("aria-describedby"))[0].text_content().strip() == "You can change this later"
    )


def test_the_token_has_no_id_so_that_two_forms_fit_on_a_page(kitchen: Flask) -> None:
    with kitchen.test_request_context():
        assert re.fullmatch(r'<input type="hidden" name="csrf_token" value="[^"]+">', KitchenForm().hidden_tag())


def test_everything_wtforms_says_by_itself_has_our_words() -> None:
    source = [module.__file__ for module in (wtforms.validators, wtforms.fields.choices, wtforms.fields.numeric, wtforms.csrf.core)]
    said = set()
    for path in source:
        with open(str(path), encoding="utf-8") as file:  # noqa: PTH123  the package's own file
            text = file.read()
        said |= {"".join(re.findall(r'"([^"]*)"', found)) for found in re.findall(r"\.gettext\(\s*((?:\"[^\"]*\"\s*)+)", text)}
    spoken = {words for words in said if re.search(r"[a-z] ", words) and "None" not in words}
    assert len(spoken) > 10
    missing = {words for words in spoken if faults_of(words) or "valid" in words.casefold()} - set(WORDS)
    assert missing == NOT_USED


#: Messages of validators the portal has no field for.
NOT_USED: set[str] = {"Invalid field name '%s'.", "Invalid IP address.", "Invalid Mac address.", "Invalid URL.", "Invalid UUID."}


@pytest.mark.parametrize("words", sorted(WORDS.values()))
def test_our_words_say_what_to_do(words: str) -> None:
    assert faults_of(words) == []
    assert words.partition(" ")[0] in {"Enter", "Choose", "Shorten", "Send"}
