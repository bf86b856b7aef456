"""Pages of schools and term dates: permissions, contents and changes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from portal.db.work import unit_of_work
from portal.schools import queries
from portal.security.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World

SCHOOL = {
    "name": "Larch School",
    "urn": "900020",
    "laestab": "001/2020",
    "phase": "primary",
    "lowest_age": "4",
    "highest_age": "11",
    "trust": "Elm Trust",
    "opened_on-day": "1",
    "opened_on-month": "9",
    "opened_on-year": "2020",
}


def test_the_list_is_filtered_by_phase_and_stays_in_scope(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.LA_MANAGER)
    page = browser.get("/schools")
    assert "2 schools" in page.text
    assert "Hill Top School" not in browser.get("/schools?phase=primary").text
    assert "No schools of this phase" in browser.get("/schools?phase=nursery").text
    browser.get("/schools?phase=everything", status=400)
    browser.get(f"/schools/{world.neighbour.primary}", status=404)


def test_a_school_can_see_its_details_and_not_change_them(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.HEADTEACHER)
    assert "1 school" in browser.get("/schools").text
    page = browser.get(f"/schools/{world.authority.primary}")
    assert "Change details" not in page.text
    browser.get(f"/schools/{world.authority.secondary}", status=404)
    browser.get(f"/schools/{world.authority.primary}/edit", status=403)
    browser.get("/schools/new", status=403)
    browser.get("/schools/import", status=403)


def test_a_school_is_added_and_changed(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.LA_ADMINISTRATOR)
    page = browser.post("/schools/new", SCHOOL, token_from="/schools/new")
    assert page.h1 == "Larch School"
    assert "001" in page.text
    assert "Elm Trust" in page.text
    with unit_of_work(world.authority.scope()):
        school = queries.school_by_urn("900020")
        assert school is not None
        school_id = school.id
    edit = f"/schools/{school_id}/edit"
    form = browser.get(edit).document
    assert form.xpath("string(//input[@name='trust']/@value)") == "Elm Trust"
    assert form.xpath("string(//input[@name='opened_on-year']/@value)") == "2020"
    assert browser.post(edit, {**SCHOOL, "name": "Larch Academy"}).h1 == "Larch Academy"
    duplicate = browser.post("/schools/new", {**SCHOOL, "urn": "900001"}, token_from="/schools/new")
    assert "Enter a URN no other school of the authority has" in duplicate.text


@pytest.mark.parametrize(
    "values", [{}, {"urn": "12", "name": " ", "phase": "castle", "lowest_age": "x", "opened_on-day": "31", "opened_on-month": "2"}]
)
def test_errors_are_shown_beside_their_fields(signed_in: Callable[..., Browser], values: dict[str, str]) -> None:
    page = signed_in(Role.LA_ADMINISTRATOR).post("/schools/new", values, token_from="/schools/new")
    assert page.h1 == "Add a school"
    assert "There is a problem" in page.text


def test_a_faulty_list_shows_what_to_put_right(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.LA_ADMINISTRATOR)

    def send(content: bytes) -> str:
        return browser.post("/schools/import", {"file": (io.BytesIO(content), "schools.csv")}, token_from="/schools/import").text

    assert "1 school added, 0 changed, 0 as they were" in send(b"URN,Name,Phase\n900030,A,primary\n")
    answer = send(b"URN,Name,Phase\n9,<b>A</b>,primary\n")
    assert "1 thing to correct" in answer
    assert "Enter the school's URN" in answer
    assert "Choose a file of schools" in browser.post("/schools/import", {}, token_from="/schools/import").text


def test_the_authoritys_dates_are_shown_and_changed(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.LA_MANAGER)
    page = browser.get("/term-dates")
    assert page.h1 == "Term dates 2026/27"
    assert "Tuesday 1 September, school day" in page.text
    assert "Wednesday 28 October, closed, Half term" in page.text
    days = {"first_day-day": "30", "first_day-month": "11", "first_day-year": "2026"}
    added = browser.post(
        "/term-dates/closed-days/new", {"name": "Snow", "session": "day", **days}, token_from="/term-dates/closed-days/new"
    )
    assert "Monday 30 November, closed, Snow" in added.text
    remove = added.document.xpath("//form[contains(@action, '/closed-days/')][.//button[contains(., 'Snow')]]/@action")[0]
    assert "Monday 30 November, school day" in browser.post(remove).text
    browser.post(remove, status=404, token_from="/term-dates")


def test_a_term_is_added_and_an_overlapping_one_is_refused(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(Role.LA_MANAGER)
    term = {"name": "Autumn", "first_day-day": "1", "first_day-month": "sep", "first_day-year": "2027"}
    term |= {"last_day-day": "17", "last_day-month": "12", "last_day-year": "2027"}
    page = browser.post("/term-dates/terms/new", term, token_from="/term-dates/terms/new")
    assert page.h1 == "Term dates 2027/28"
    again = browser.post("/term-dates/terms/new", term, token_from="/term-dates/terms/new")
    assert "two terms share a day" in again.text


def test_a_school_can_add_its_own_dates(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.SCHOOL_OFFICE)
    own = f"/schools/{world.authority.primary}/term-dates"
    assert "It follows the authority's" in browser.get(own).text
    content = b"type,name,first_day,last_day\nclosed,INSET,2026-09-01,2026-09-01\n"
    page = browser.post(f"{own}/import", {"file": (io.BytesIO(content), "dates.csv")}, token_from=f"{own}/import")
    assert "Tuesday 1 September, closed, INSET" in page.text
    bad = browser.post(f"{own}/import", {"file": (io.BytesIO(b"nonsense"), "dates.csv")}, token_from=f"{own}/import")
    assert "1 thing to correct" in bad.text
    browser.get("/term-dates/terms/new", status=403)
    assert "Remove" not in browser.get("/term-dates").text
    browser.get(f"/schools/{world.authority.secondary}/term-dates", status=404)
    browser.get(f"/schools/{world.neighbour.primary}/term-dates", status=404)


def test_a_headteacher_can_read_dates_and_not_change_them(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.HEADTEACHER)
    own = f"/schools/{world.authority.primary}/term-dates"
    assert "Add closed days" not in browser.get(own).text
    browser.get(f"{own}/closed-days/new", status=403)


def test_an_empty_authority_says_what_to_do(signed_in: Callable[..., Browser]) -> None:
    page = signed_in(Role.LA_MANAGER).get("/term-dates?year=2027")
    assert "No terms for this year yet" in page.text
