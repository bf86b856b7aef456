"""Search of pupils: by every usual spelling, in scope only, with the list's filters, and by an index."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from portal.db.work import tx, unit_of_work
from portal.pupils import queries
from portal.pupils.actions import lists as actions
from portal.pupils.domain.search import letters, searched
from portal.pupils.models import Pupil
from portal.pupils.queries import PupilFilter
from portal.security.permissions import Role
from portal.web.paging import Position
from tests.pupils.support import YEAR, child, upn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.world import World

TODAY = date(2026, 11, 25)
PUPILS = (
    child(1, surname="Adams", forename="Benjamin", date_of_birth=date(2012, 9, 1)),
    child(2, surname="O'Neil", forename="Chloé", year_group="5"),
    child(3, surname="Smith-Jones", forename="Zoë"),
    child(4, surname="O\u02bcHara", forename="Anne-Marie"),
    child(5, surname="Abbot", forename="Ada"),
)
FIRST_DAYS = ("01/09/2012", "1/9/2012", "1.9.12", "1-9-2012", "2012-09-01", "1 Sep 2012", "1 Sept 2012", "1st September 2012")
SPELLINGS = {
    "Adams": [
        *("Benjamin Adams", "Adams, Benjamin", "Adams, B", "adams benjamin", "B Adams", "ADAMS", "benj", "  Adams ,Ben  "),
        *(upn(1), upn(1).lower(), f" {upn(1)[:5]} {upn(1)[5:]} ", *FIRST_DAYS, "01092012", "1 september, 2012", "01–09–2012"),
    ],
    "O'Neil": [
        "chloe",
        "Chloé",
        "Chloe\u0301",
        "O’Neil, chloe",
        "ONeil",
        "o neil",
        "O`Neil",
        "O\u00b4neil",
        "O\u02bcneil",
        "chloe o neil",
    ],
    "Smith-Jones": ["smith jones", "Smith–Jones", "Smith\u2212Jones, zoe", "smithjones", "Zoe Smith Jones", "Smith Jones Zoe"],
    "O\u02bcHara": ["O'Hara", "ohara", "o hara", "anne marie ohara", "Annemarie O'Hara", "O'Hara, Anne Marie"],
}
#: Enough pupils that an index is the way to find a few of them.
MANY_PUPILS = """
INSERT INTO pupil (authority_id, id, school_id, upn, former_upn, surname, forename, surname_folded, forename_folded,
                   date_of_birth, reference)
SELECT authority_id, gen_random_uuid(), school_id, 'upn' || n, 'former' || n, '', '', md5(n::text), md5((-n)::text),
       date '2012-01-01' + n, 'R' || n
FROM pupil CROSS JOIN generate_series(1, 10000) AS n WHERE school_id = :school AND surname = 'Adams'
"""


@pytest.fixture
def listed(world: World) -> World:
    """The pupils at the primary school, and the same at a school of the neighbouring authority."""
    for authority in (world.neighbour, world.authority):
        with unit_of_work(authority.scope()):
            actions.import_pupil_list(authority.primary, PUPILS, academic_year=YEAR)
    return world


def surnames_for(typed: str) -> list[str]:
    """The surnames of the pupils found, in the list's order."""
    page = queries.pupils(PupilFilter(text=typed, includes_leavers=True), Position(), today=TODAY)
    return [listed.pupil.surname for listed in page.items]


def test_a_pupil_is_found_by_every_usual_spelling(listed: World) -> None:
    with unit_of_work(listed.authority.scope(Role.SCHOOL_OFFICE)):
        for surname, spellings in SPELLINGS.items():
            assert {typed: surnames_for(typed) for typed in spellings} == {typed: [surname] for typed in spellings}
        for pupil in tx().scalars(select(Pupil)):
            spoken = f"{pupil.reference[:4].lower()}-{pupil.reference[4:]}".replace("0", "o").replace("1", "i")
            assert surnames_for(pupil.reference) == surnames_for(spoken) == [pupil.surname]


@pytest.mark.parametrize("typed", ["Adams, C", "Adams Charlie", "1 Oct 2012", "31/02/2012", "amin", ",", "-", "'", upn(9), "%"])
def test_nobody_else_is_surnames_for(listed: World, typed: str) -> None:
    with unit_of_work(listed.authority.scope(Role.SCHOOL_OFFICE)):
        assert surnames_for(typed) == []


@pytest.mark.parametrize("typed", ["Adams", "Benjamin Adams", upn(1), "1 Sep 2012", "REFERENCE"])
def test_a_pupil_of_another_school_is_not_surnames_for(world: World, typed: str) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(world.authority.secondary, PUPILS[:1], academic_year=YEAR)
        (reference,) = tx().scalars(select(Pupil.reference))
        assert surnames_for(typed.replace("REFERENCE", reference)) == ["Adams"]
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        assert surnames_for(typed.replace("REFERENCE", reference)) == []


def test_the_filters_of_the_list_stay_in_the_search(signed_in: Callable[..., Browser], listed: World) -> None:
    browser = signed_in(Role.SCHOOL_OFFICE)
    page = browser.get("/pupils?year-group=5&show=everyone")
    hidden = dict(
        zip(
            page.document.xpath("//form[contains(@action, 'search')]//input[@type='hidden']/@name"),
            page.document.xpath("//form[contains(@action, 'search')]//input[@type='hidden']/@value"),
            strict=True,
        )
    )
    assert {"year-group": "5", "show": "everyone"}.items() <= hidden.items()
    results = browser.post("/pupils/search", {"name": "a", "year-group": "5", "show": "everyone"}, token_from="/pupils")
    assert "No pupil found" in results.text
    assert results.document.xpath("string(//select[@name='year-group']/option[@selected]/@value)") == "5"
    assert results.document.xpath("//a[contains(@class, 'govuk-back-link')]/@href") == ["/pupils?year-group=5&show=everyone"]
    assert "Chloé" in browser.post("/pupils/search", {"name": "o", "year-group": "5"}, token_from="/pupils").text
    browser.post("/pupils/search", {"name": "o", "year-group": "99"}, status=400, token_from="/pupils")
    neighbour = str(listed.neighbour.primary)
    browser.post("/pupils/search", {"name": "o", "school": neighbour}, status=400, token_from="/pupils")


def test_the_next_page_of_a_search_keeps_its_filters(signed_in: Callable[..., Browser], world: World) -> None:
    with unit_of_work(world.authority.scope()):
        pupils = [child(n, surname="Alder", forename=f"A{n}", year_group="56"[n % 2]) for n in range(1, 121)]
        actions.import_pupil_list(world.authority.primary, pupils, academic_year=YEAR)
    browser = signed_in(Role.SCHOOL_OFFICE)
    sent = {"name": "alder", "year-group": "5"}
    first = browser.post("/pupils/search", sent, token_from="/pupils")
    next_form = "//form[.//input[@type='hidden'][@name='name']]//input"
    values = {
        field.get("name"): field.get("value") for field in first.document.xpath(next_form) if field.get("name") != "csrf_token"
    }
    assert values == {**sent, "after": values["after"]}
    second = browser.post("/pupils/search", values)
    assert len(second.document.xpath("//td/a[contains(@href, '/details')]")) == 10


@given(st.text(max_size=60))
def test_any_text_can_be_searched_for(typed: str) -> None:
    meaning = searched(typed)
    assert all(name.surname or name.forename for name in meaning.names)
    assert all(letters(part) == part for name in meaning.names for part in (name.surname, name.forename))


@pytest.mark.parametrize("typed", ["Benjamin Adams", "Adams, B", "1 Sep 2012"])
@pytest.mark.parametrize("role", [Role.LA_OFFICER, Role.SCHOOL_OFFICE])
def test_row_security_lets_a_search_use_an_index(listed: World, typed: str, role: Role) -> None:
    """Were a condition not leakproof, PostgreSQL could not put it into an index, and would read every pupil."""
    with unit_of_work(listed.authority.scope(role)), tx().begin_nested() as savepoint:
        tx().execute(text(MANY_PUPILS), {"school": listed.authority.primary})
        tx().execute(text("SET LOCAL enable_seqscan = off"))
        statement = select(Pupil.id).where(queries._text_condition(searched(typed)))  # noqa: SLF001  the condition that the search sends
        compiled = statement.compile(tx().get_bind(), compile_kwargs={"render_postcompile": True})
        plan = tx().connection().exec_driver_sql(f"EXPLAIN {compiled}", dict(compiled.params)).scalars().all()
        savepoint.rollback()
    # A search that no index answers reads every pupil of the authority: by a condition on the authority alone.
    conditions = [line for line in plan if "Index Cond" in line]
    assert conditions, plan
    assert all("_letters" in line or "date_of_birth" in line or "upn" in line or "reference" in line for line in conditions), plan


def test_the_database_and_the_search_leave_out_the_same(listed: World) -> None:
    with unit_of_work(listed.authority.scope()):
        pupils: list[Pupil] = list(tx().scalars(select(Pupil)))
        assert [pupil.surname_letters for pupil in pupils] == [letters(pupil.surname) for pupil in pupils]
