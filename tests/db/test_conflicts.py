"""Two people add the same thing at once: one succeeds, the other reads why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from portal.accounts.actions import invitations
from portal.accounts.domain.roles import Reach
from portal.accounts.models import EMAIL_TAKEN
from portal.db.work import tx, unit_of_work
from portal.schools.models import URN_TAKEN, Trust
from portal.security.permissions import Role
from portal.uploads.models import MARK_SET_MEANWHILE
from tests.accounts.support import OTHER_PASSWORD
from tests.support import at_once, forked_db
from tests.support import world as worlds
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask

    from tests.support.browser import Page

pytestmark = pytest.mark.slow


@pytest.fixture
def committed(worker_id: str, server_allowed: None) -> Iterator[str]:
    """A database of its own, where each connection sees only what the other has committed."""
    with forked_db.copied_database(f"portal_conflicts_{worker_id}") as name:
        yield name


def _signed_in(app: Flask, authority: worlds.AuthorityWorld, role: Role) -> Browser:
    browser = Browser(app.test_client())
    browser.get("/sign-in")
    browser.post("/demonstration/sign-in", {"membership": str(authority.people[role][1])})
    return browser


def _error_at(page: Page, field: str) -> str:
    """The error of a field, as the summary at the top of the page says it."""
    return str(page.document.xpath(f"string(//div[@class='govuk-error-summary']//a[@href='#{field}'])"))


def _one_of_two(pages: list[Page], field: str, sentence: str) -> None:
    """One page says the thing was done; the other shows the sentence at the field."""
    errors = [_error_at(page, field) for page in pages]
    assert sorted(sentence in error for error in errors) == [False, True], [page.text[-1500:] for page in pages]


def test_one_school_added_twice_at_once_is_added_once(committed: str, tmp_path: Path) -> None:
    def add_twice(app: Flask) -> None:
        authority = worlds.make_world().authority
        browsers = [_signed_in(app, authority, Role.LA_ADMINISTRATOR) for _ in range(2)]
        for browser in browsers:
            browser.get("/schools/new")

        def send(browser: Browser, name: str) -> Page:
            return browser.post("/schools/new", {"name": name, "urn": "900020", "phase": "primary"})

        pages = at_once.send_together("school", lambda: send(browsers[0], "Larch"), lambda: send(browsers[1], "Rowan"))
        _one_of_two(pages, "urn", URN_TAKEN)

    assert at_once.with_app(committed, tmp_path, add_twice) == 0
    assert len(forked_db.rows(committed, "SELECT 1 FROM school WHERE urn = '900020'")[0]) == 1


def test_one_address_invited_twice_and_accepted_at_once_becomes_one_person(committed: str, tmp_path: Path) -> None:
    def accept_twice(app: Flask) -> None:
        world = worlds.make_world()
        sends = [_acceptance(app, authority) for authority in (world.authority, world.neighbour)]
        _one_of_two(at_once.send_together("person", *sends), "email", EMAIL_TAKEN)

    assert at_once.with_app(committed, tmp_path, accept_twice) == 0
    assert len(forked_db.rows(committed, "SELECT 1 FROM person WHERE email_folded = 'bo@council.example'")[0]) == 1


def _acceptance(app: Flask, authority: worlds.AuthorityWorld) -> Callable[[], Page]:
    """Invite an address, open the link, and return what sends the form."""
    tokens: list[str] = []

    def link(token: str) -> str:
        tokens.append(token)
        return token

    with unit_of_work(authority.scope(Role.LA_ADMINISTRATOR)):
        invitations.invite("Bo Invited", "bo@council.example", Reach(Role.LA_OFFICER), link)
    browser = Browser(app.test_client())
    browser.get(f"/invitations/{tokens[0]}")
    form = {"email": "bo@council.example", "name": "Bo Invited", "password": OTHER_PASSWORD}
    return lambda: browser.post("/invitation", form)


def test_one_local_code_set_twice_at_once_is_set_once(committed: str, tmp_path: Path) -> None:
    def set_twice(app: Flask) -> None:
        authority = worlds.make_world().authority
        browsers = [_signed_in(app, authority, Role.SCHOOL_OFFICE) for _ in range(2)]
        path = f"/uploads/own-marks?school={authority.primary}"
        for browser in browsers:
            browser.get(path)

        def send(browser: Browser, letters: str) -> Page:
            return browser.post(path, {"mark": "Z9", "letters": letters})

        pages = at_once.send_together("local_code", lambda: send(browsers[0], "I"), lambda: send(browsers[1], "O"))
        _one_of_two(pages, "mark", MARK_SET_MEANWHILE)

    assert at_once.with_app(committed, tmp_path, set_twice) == 0
    assert len(forked_db.rows(committed, "SELECT 1 FROM local_code WHERE mark = 'Z9'")[0]) == 1


TERM = {
    "name": "Extra",
    "first_day-day": "1", "first_day-month": "9", "first_day-year": "2027",
    "last_day-day": "17", "last_day-month": "12", "last_day-year": "2027",
}  # fmt: skip


def test_two_terms_of_the_same_days_added_at_once_do_not_overlap(committed: str, tmp_path: Path) -> None:
    def add_twice(app: Flask) -> None:
        authority = worlds.make_world().authority
        browsers = [_signed_in(app, authority, Role.LA_ADMINISTRATOR) for _ in range(2)]
        for browser in browsers:
            browser.get("/term-dates/terms/new")
        sends = [lambda browser=browser: browser.post("/term-dates/terms/new", dict(TERM)) for browser in browsers]
        _one_of_two(at_once.send_together("term", *sends, locked=True), "first_day-day", "two terms share a day")

    assert at_once.with_app(committed, tmp_path, add_twice) == 0
    assert len(forked_db.rows(committed, "SELECT 1 FROM term WHERE first_day = '2027-09-01'")[0]) == 1


def test_a_key_that_declares_no_conflict_stays_an_error_of_ours(world: worlds.World) -> None:
    def same_id_twice() -> None:
        tx().add(Trust(id=world.authority.id, name="Elm"))
        tx().flush()
        tx().expunge_all()
        tx().add(Trust(id=world.authority.id, name="Oak"))

    with unit_of_work(world.authority.scope()), pytest.raises(IntegrityError):
        worlds.write_rows(same_id_twice)
