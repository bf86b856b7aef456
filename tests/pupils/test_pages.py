"""Pages of pupils: search without names in addresses, hidden addresses, and possible duplicates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEvent, ReadLog
from portal.db.work import tx, unit_of_work
from portal.pupils.actions import lists as actions
from portal.pupils.actions.children import link_children
from portal.pupils.models import Pupil
from portal.security.permissions import Role
from tests.pupils.support import YEAR, child, parent, upn

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from tests.support.browser import Browser, Page
    from tests.support.world import World

SECRET = "77 Hidden Close"
CHILD = child(
    1,
    surname="Ó'Fenwick",
    forename="Amira",
    address=SECRET,
    postcode="ZZ7 7ZZ",
    ethnicity="WBRI",
    characteristics={"child_in_need": "Y"},
    parents=(parent("Rowan Fenwick", address=SECRET, postcode="ZZ7 7ZZ", do_not_disclose=True), parent("Sam Fenwick")),
)


@pytest.fixture
def pupil_id(world: World) -> UUID:
    """A child of the primary school, with a look-alike in the neighbouring authority and others at the secondary."""
    for authority in (world.neighbour, world.authority):
        with unit_of_work(authority.scope()):
            actions.import_pupil_list(authority.primary, [CHILD], academic_year=YEAR)
            actions.import_pupil_list(authority.secondary, [child(n, year_group="8") for n in range(2, 5)], academic_year=YEAR)
    with unit_of_work(world.authority.scope()):
        return tx().scalars(select(Pupil.id).where(Pupil.upn == upn(1))).one()


def rows(page: Page) -> list[str]:
    """The links of the listed pupils, in the list's order."""
    links: list[str] = page.document.xpath("//td/a[contains(@href, '/details')]/@href")
    return links


def events(world: World, name: str) -> int:
    """How many reads and events of this name the authority has."""
    with unit_of_work(world.authority.scope()):
        tables = (AuditEvent, ReadLog)
        return sum(tx().scalar(select(func.count()).select_from(table).where(table.event == name)) or 0 for table in tables)


def test_the_list_has_only_pupils_in_scope(signed_in: Callable[..., Browser], world: World, pupil_id: UUID) -> None:
    page = signed_in(Role.SCHOOL_OFFICE).get("/pupils")
    assert f"/pupils/{pupil_id}/details" in page.html
    assert len(rows(page)) == 1
    la = signed_in(Role.LA_OFFICER)
    assert len(rows(la.get("/pupils"))) == 4
    assert len(rows(la.get(f"/pupils?school={world.authority.secondary}&year-group=8"))) == 3
    assert "No pupils here" in la.get("/pupils?year-group=9").text
    la.get(f"/pupils?school={world.neighbour.primary}", status=400)
    la.get("/pupils?surname=Fenwick", status=400)


@pytest.mark.parametrize("name", ["O'Fen", "ó’fenwick", "OFENWICK", upn(1), upn(1).lower()])
def test_a_pupil_is_found_by_part_of_the_surname_or_by_upn(signed_in: Callable[..., Browser], pupil_id: UUID, name: str) -> None:
    browser = signed_in(Role.SCHOOL_OFFICE)
    page = browser.post("/pupils/search", {"name": name}, token_from="/pupils")
    assert str(pupil_id) in page.html


@pytest.mark.parametrize("name", [child(2).surname, upn(2), "zzz", "%", "_", "' OR 1=1 --"])
def test_ten_07_another_schools_pupil_is_not_found(signed_in: Callable[..., Browser], pupil_id: UUID, name: str) -> None:
    browser = signed_in(Role.SCHOOL_OFFICE)
    page = browser.post("/pupils/search", {"name": name}, token_from="/pupils")
    assert "No pupil found" in page.text
    assert str(pupil_id) not in page.html


@pytest.mark.parametrize("name", ["", "  ", "\U0010ffff", "\x01"])
def test_an_empty_search_says_what_to_enter(signed_in: Callable[..., Browser], pupil_id: UUID, name: str) -> None:
    page = signed_in(Role.SCHOOL_OFFICE).post("/pupils/search", {"name": name}, token_from="/pupils")
    assert "Enter a name, a date of birth, a UPN or a reference" in page.text
    assert str(pupil_id) not in page.html


def test_long_lists_have_pages_and_only_ids_in_the_address(signed_in: Callable[..., Browser], world: World) -> None:
    with unit_of_work(world.authority.scope()):
        pupils = [child(n, surname=f"Alder{'abcdefghij'[n % 10]}") for n in range(1, 121)]
        actions.import_pupil_list(world.authority.primary, pupils, academic_year=YEAR)
    browser = signed_in(Role.SCHOOL_OFFICE)
    page, links = browser.get("/pupils"), []
    for size in (50, 50, 20):
        page_links = rows(page)
        assert len(page_links) == size
        links += page_links
        next_link = page.document.xpath("string(//a[@rel='next']/@href)")
        assert "lder" not in next_link
        page = browser.get(next_link) if next_link else page
    assert len(set(links)) == 120
    previous_page = browser.get(page.document.xpath("string(//a[@rel='prev']/@href)"))
    assert rows(previous_page) == links[50:100]
    first_page = browser.post("/pupils/search", {"name": "alder"}, token_from="/pupils")
    after = first_page.document.xpath("string(//form[.//input[@value='alder']]//input[@name='after']/@value)")
    second_page = browser.post("/pupils/search", {"name": "alder", "after": after})
    assert rows(second_page) == links[50:100]
    browser.post("/pupils/search", {"name": "alder", "after": "x"}, status=400, token_from="/pupils")


def test_reading_details_is_recorded(signed_in: Callable[..., Browser], world: World, pupil_id: UUID) -> None:
    page = signed_in(Role.SCHOOL_OFFICE).get(f"/pupils/{pupil_id}/details")
    assert page.h1 == "Amira Ó'Fenwick"
    assert "Brook Lane Primary School" in page.text
    assert SECRET not in page.html
    assert "WBRI" not in page.html
    assert "Child in need" not in page.html
    assert events(world, "pupil.read") == 1


@pytest.mark.parametrize("part", ["details", "contacts", "characteristics"])
def test_a_pupil_outside_the_scope_is_not_found(signed_in: Callable[..., Browser], world: World, pupil_id: UUID, part: str) -> None:
    with unit_of_work(world.authority.scope()):
        elsewhere = tx().scalars(select(Pupil.id).where(Pupil.upn == upn(2))).one()
    signed_in(Role.ATTENDANCE_LEAD).get(f"/pupils/{elsewhere}/{part}", status=404)
    signed_in(Role.LA_MANAGER, world.neighbour).get(f"/pupils/{pupil_id}/{part}", status=404)


@pytest.mark.parametrize(
    ("role", "part"),
    [
        (Role.SCHOOL_OFFICE, "characteristics"),
        (Role.LA_LEGAL, "characteristics"),
        (Role.LA_ADMINISTRATOR, "contacts"),
        (Role.TRUST_LEAD, "details"),
        (Role.AUDITOR, "details"),
    ],
)
def test_a_role_without_the_permission_is_refused(signed_in: Callable[..., Browser], pupil_id: UUID, role: Role, part: str) -> None:
    signed_in(role).get(f"/pupils/{pupil_id}/{part}", status=403)


def test_a_hidden_address_never_reaches_the_page(signed_in: Callable[..., Browser], world: World, pupil_id: UUID) -> None:
    page = signed_in(Role.LA_OFFICER).get(f"/pupils/{pupil_id}/contacts")
    assert "Rowan Fenwick" in page.text
    assert "Address not shown" in page.text
    assert SECRET not in page.html
    assert "ZZ7" not in page.html
    assert "1 Test Row, ZZ1 1ZZ" in page.text, "the other parent's address is shown"
    assert events(world, "pupil.read") == 1


def test_showing_a_hidden_address_asks_first_and_is_recorded(
    signed_in: Callable[..., Browser], world: World, pupil_id: UUID
) -> None:
    browser = signed_in(Role.LA_OFFICER)
    contacts = browser.get(f"/pupils/{pupil_id}/contacts")
    warning = browser.get(contacts.links()["Show the address of Rowan Fenwick again"])
    assert "Someone may be in danger" in warning.text
    assert SECRET not in warning.html
    after_showing = browser.post(warning.path)
    assert SECRET in after_showing.html
    hide = after_showing.document.xpath("//form[.//button[contains(., 'Rowan Fenwick')]]/@action")[0]
    assert SECRET not in browser.post(hide).html
    assert events(world, "parent.disclosure_changed") == 2


def test_every_reading_of_characteristics_is_recorded(signed_in: Callable[..., Browser], world: World, pupil_id: UUID) -> None:
    browser = signed_in(Role.ATTENDANCE_LEAD)
    for count in (1, 2):
        page = browser.get(f"/pupils/{pupil_id}/characteristics")
        assert "Child in need" in page.text
        assert "White British" in page.text
        assert "WBRI" not in page.text
        assert events(world, "pupil.read") == count


def test_ten_11_a_school_the_child_left_sees_its_own_record_alone(
    signed_in: Callable[..., Browser], world: World, pupil_id: UUID
) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(world.authority.primary, [replace(CHILD, leaving_date=date(2026, 10, 16))], academic_year=YEAR)
        moved = replace(
            CHILD,
            admission_date=date(2026, 10, 19),
            parents=(parent("New Carer", address="5 New Row"),),
            characteristics={"young_carer": "P"},
        )
        actions.import_pupil_list(world.authority.secondary, [moved], academic_year=YEAR)
        link_children(world.authority.secondary)
    browser = signed_in(Role.ATTENDANCE_LEAD)
    contacts = browser.get(f"/pupils/{pupil_id}/contacts")
    assert "Rowan Fenwick" in contacts.text
    assert "New Carer" not in contacts.html
    assert "Show the address" not in contacts.text, "a school the child has left changes nothing"
    (show,) = [link for link in signed_in(Role.LA_OFFICER).get(f"/pupils/{pupil_id}/contacts").links().values() if "/show" in link]
    browser.post(show, status=404, token_from="/pupils")
    characteristics = browser.get(f"/pupils/{pupil_id}/characteristics").text
    assert "Child in need" in characteristics
    assert "Young carer" not in characteristics
    assert "Hill Top" not in browser.get(f"/pupils/{pupil_id}/details").html
    assert "Hill Top" not in browser.get(f"/pupils/{pupil_id}").html
    assert str(pupil_id) not in browser.get("/pupils").html
    assert str(pupil_id) in browser.get("/pupils?show=everyone").html


def test_a_possible_duplicate_is_compared_and_decided(signed_in: Callable[..., Browser], world: World, pupil_id: UUID) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(
            world.authority.primary, [replace(CHILD, upn=None, sex="F", postcode="ZZ1 1AA")], academic_year=YEAR
        )
    browser = signed_in(Role.ATTENDANCE_LEAD)
    queue = browser.get("/pupils/matches")
    assert "Possible duplicates to check" in queue.text
    page = browser.get(queue.links()["Compare Ó'Fenwick, Amira"])
    assert "Not the same" in page.text
    assert "ZZ7" not in page.html
    assert SECRET not in page.html
    assert events(world, "pupil_match.compared") == 1
    (decide,) = set(page.document.xpath("//form[contains(@action, '/decide')]/@action"))
    browser.post(decide, {"decision": "perhaps"}, status=400)
    done = browser.post(decide, {"decision": "same"}, token_from="/pupils/matches")
    assert "The two records were merged" in done.text
    assert "Nothing to decide" in done.text
    assert "Somebody else decided this already" in browser.post(decide, {"decision": "different"}).text
    assert events(world, "pupil_match.decided") == 1
    browser.get(page.path, status=404)


def test_ten_09_a_school_learns_nothing_of_a_child_at_another_school(
    signed_in: Callable[..., Browser], world: World, pupil_id: UUID
) -> None:
    doubtful = child(2, date_of_birth=date(2016, 5, 5), surname="Otherwise", forename="Dewi")
    with unit_of_work(world.authority.scope()):
        summary = actions.import_pupil_list(world.authority.primary, [doubtful], academic_year=YEAR)
        assert (summary.added, summary.questions) == (1, 0)
        link_children(world.authority.primary)
    browser = signed_in(Role.ATTENDANCE_LEAD)
    assert "Nothing to decide" in browser.get("/pupils/matches").text
    la = signed_in(Role.LA_OFFICER)
    queue = la.get(la.get("/pupils/matches").links()["Records at two schools that may be one child"])
    assert len(queue.document.xpath("//tbody/tr")) == 1
    compare = queue.links()[f"Compare Otherwise, Dewi and {child(2).surname}, {child(2).forename} at two schools"]
    browser.get(compare, status=403)
    browser.post(f"{compare}/decide", {"decision": "same"}, status=403, token_from="/pupils/matches")
    comparison = la.get(compare)
    assert child(2).surname in comparison.text
    assert "Hill Top School" in comparison.text
    assert str(pupil_id) not in comparison.html


def test_the_authority_links_records_and_takes_the_link_back(
    signed_in: Callable[..., Browser], world: World, pupil_id: UUID
) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(world.authority.secondary, [replace(CHILD, upn=upn(77))], academic_year=YEAR)
        link_children(world.authority.secondary)
    la = signed_in(Role.LA_OFFICER)
    compare = la.get("/pupils/same-child").links()["Compare Ó'Fenwick, Amira at two schools"]
    page = la.get(compare)
    assert SECRET not in page.html
    assert "ZZ7" not in page.html
    la.post(f"{compare}/decide", {"decision": "perhaps"}, status=400)
    assert "linked as one child" in la.post(f"{compare}/decide", {"decision": "same"}, token_from=compare).text
    assert "Somebody else decided this already" in la.post(f"{compare}/decide", {"decision": "same"}).text
    details = la.get(f"/pupils/{pupil_id}/details")
    other_record = details.links()["Hill Top School"]
    assert "Hill Top School" in la.get(f"/pupils/{pupil_id}").text, "the attendance record offers the child's other lines"
    assert "Hill Top" not in signed_in(Role.ATTENDANCE_LEAD).get(f"/pupils/{pupil_id}/details").html
    unlink = details.links()["These are different children: unlink this record"]
    assert "Say why the records are about different children" in la.post(unlink, {"reason": ""}, token_from=unlink).text
    assert "taken back" in la.post(unlink, {"reason": "Two children of one name"}, token_from=unlink).text
    la.get(unlink, status=404)
    question = la.get(other_record).links()["Ó'Fenwick, Amira, Brook Lane Primary School"]
    assert "decided to be different children" in la.get(question).text
    signed_in(Role.ATTENDANCE_LEAD).get(unlink, status=403)
    assert [events(world, name) for name in ("child.compared", "child.decided", "child.unlinked")] == [3, 1, 1]


def test_a_line_of_the_childs_other_record_opens_that_record(
    signed_in: Callable[..., Browser], world: World, pupil_id: UUID
) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(world.authority.secondary, [CHILD], academic_year=YEAR)
        link_children(world.authority.secondary)
    page = signed_in(Role.LA_OFFICER).get(f"/pupils/{pupil_id}")
    (line,) = page.document.xpath("//option[contains(., 'Hill Top')]/@value")
    assert "Hill Top School, Year 4" in signed_in(Role.LA_OFFICER).get(f"/pupils/{pupil_id}?line={line}").text
    signed_in(Role.ATTENDANCE_LEAD).get(f"/pupils/{pupil_id}?line={line}", status=404)


def test_only_the_authority_sees_pupils_on_two_rolls(signed_in: Callable[..., Browser], world: World, pupil_id: UUID) -> None:
    with unit_of_work(world.authority.scope()):
        actions.import_pupil_list(world.authority.secondary, [CHILD], academic_year=YEAR)
        link_children(world.authority.secondary)
    officer, lead = signed_in(Role.LA_OFFICER), signed_in(Role.ATTENDANCE_LEAD)
    page = officer.get(officer.get("/pupils/matches").links()["Children on two rolls"])
    assert len(page.document.xpath("//tbody/tr")) == 1
    for link in ("two rolls", "two schools"):
        assert link not in lead.get("/pupils/matches").text
    for path in ("/pupils/on-two-rolls", "/pupils/same-child"):
        lead.get(path, status=403)
    assert pupil_id
