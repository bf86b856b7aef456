"""Attacks by an administrator of one membership of a person on the person's others (AUT-16, ASVS 8.2.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from portal.accounts.actions import people as people_actions
from portal.accounts.actions import second_factors as second_factor_actions
from portal.accounts.models import Person
from portal.accounts.queries.principals import command_line_scope, platform_scope
from portal.db.work import tx, unit_of_work
from portal.jobs import running
from portal.jobs.outbox import OutboxJob
from portal.platform import clock
from portal.security.permissions import Role
from tests.accounts.support import (
    User,
    add_user,
    credential_row,
    events,
    live_sign_ins,
    mails,
    new_browser,
    person_row,
    sign_in,
    with_authenticator,
)
from tests.support.world import write_rows

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.browser import Browser
    from tests.support.world import World

BUTTONS = ("take-off-second-factor", "reinstate", "send-reset", "end-sign-ins")
#: Where the person has a second role, that the administrator of the first does not manage.
SECOND_ROLES = ("another authority", "the platform")


def _person_of_two(world: World, app: Flask, second: str) -> User:
    """An officer of the authority with a second role elsewhere, an authenticator app and one sign-in."""
    user = add_user(world.authority)
    scope = platform_scope() if second == "the platform" else command_line_scope(world.neighbour.id)
    with unit_of_work(scope):
        people_actions.add_membership(user.id, Role.PLATFORM_OPERATOR if second == "the platform" else Role.LA_MANAGER)
    user = with_authenticator(user, world.authority, app)
    sign_in_and_choose(new_browser(app), user)
    return user


def sign_in_and_choose(browser: Browser, user: User) -> None:
    """Sign in and act through the first membership."""
    sign_in(browser, user)
    browser.post(f"/roles/{user.membership}", {})


def _suspend(world: World, user: User) -> None:
    with unit_of_work(command_line_scope(world.authority.id)):
        write_rows(lambda: setattr(tx().get_one(Person, user.id), "disabled_at", clock.now()))


def _state(user: User) -> tuple[object, ...]:
    """What acting on the person would change."""
    person, credential = person_row(user.id), credential_row(user.id)
    return person.disabled_at, person.reinstated_at, credential.totp_secret, live_sign_ins(user.id), len(mails())


@pytest.mark.parametrize("second", SECOND_ROLES)
@pytest.mark.parametrize("button", BUTTONS)
def test_an_administrator_changes_nothing_for_a_person_with_a_role_elsewhere(
    live_app: Flask, demo_administrator: Browser, world: World, button: str, second: str
) -> None:
    """Attack C4: the factor, the suspension, the password and the sign-ins are the person's, not the membership's."""
    user = _person_of_two(world, live_app, second)
    if button == "reinstate":
        _suspend(world, user)
    before = _state(user)
    page = demo_administrator.post(f"/people/{user.membership}/{button}", {}, token_from=f"/people/{user.membership}")
    assert _state(user) == before
    assert "Ask the people who run the portal to do it" in page.text
    assert "Eastmarch" not in page.text, "which authority it is, is not the administrator's to know"


@pytest.mark.parametrize("button", ["send-reset", "end-sign-ins"])
@pytest.mark.parametrize("second", ["another school", "the authority", "another authority"])
def test_a_school_administrator_changes_nothing_for_a_person_with_a_role_outside_the_school(
    live_app: Flask, demo_app: Flask, world: World, button: str, second: str
) -> None:
    """Attack C4, from a school: over a person of another school, over an officer, and over another authority's."""
    user = add_user(world.authority, Role.HEADTEACHER)
    authority = world.neighbour if second == "another authority" else world.authority
    with unit_of_work(command_line_scope(authority.id)):
        if second == "the authority":
            people_actions.add_membership(user.id, Role.LA_ADMINISTRATOR)
        else:
            people_actions.add_membership(user.id, Role.HEADTEACHER, school_ids=[authority.secondary])
    user = with_authenticator(user, world.authority, live_app)
    sign_in_and_choose(new_browser(live_app), user)
    before = _state(user)
    browser = new_browser(demo_app)
    membership = world.authority.people[Role.SCHOOL_ADMINISTRATOR][1]
    browser.post("/demonstration/sign-in", {"membership": str(membership)}, token_from="/sign-in")
    page = browser.post(f"/people/{user.membership}/{button}", {}, token_from=f"/people/{user.membership}")
    assert _state(user) == before
    assert ("Ask the people who run" if second == "another authority" else "Ask an LA administrator") in page.text


@pytest.mark.parametrize("ended", ["its last day is over", "it was ended"])
def test_a_role_that_is_over_does_not_keep_an_administrator_from_helping(
    live_app: Flask, demo_administrator: Browser, world: World, ended: str
) -> None:
    user = add_user(world.authority)
    with unit_of_work(command_line_scope(world.neighbour.id)):
        yesterday = clock.today() - timedelta(days=1)
        membership = people_actions.add_membership(
            user.id, Role.LA_OFFICER, until=yesterday if ended == "its last day is over" else None
        )
        if ended == "it was ended":
            people_actions.end_membership(membership.id)
    user = with_authenticator(user, world.authority, live_app)
    demo_administrator.post(f"/people/{user.membership}/take-off-second-factor", {}, token_from=f"/people/{user.membership}")
    assert credential_row(user.id).totp_secret is None


def test_what_is_done_to_a_person_is_recorded_in_every_authority_they_have_a_role_in(live_app: Flask, world: World) -> None:
    """Those who run the portal act on a whole person; each authority's audit says so."""
    user = _person_of_two(world, live_app, "another authority")
    with unit_of_work(command_line_scope(world.authority.id)):
        second_factor_actions.reset_second_factor(user.id)
    with unit_of_work(None):
        waiting = tx().scalars(select(OutboxJob.id).where(OutboxJob.kind == "accounts.record_elsewhere")).all()
    for job_id in waiting:
        assert [running.run(str(job_id)), running.run(str(job_id))] == ["done", "not waiting"]
    assert len(events(world.authority.id, "second_factor.taken_off")) == 1
    names = [event.facts["event_name"] for event in events(world.neighbour.id, "person.changed_elsewhere")]
    assert names.count("second_factor.taken_off") == 1
    assert len(waiting) == len(names)


def test_an_administrator_ends_every_sign_in_of_a_colleague(live_app: Flask, demo_administrator: Browser, world: World) -> None:
    user = with_authenticator(add_user(world.authority), world.authority, live_app)
    stolen = new_browser(live_app)
    sign_in(stolen, user)
    page = demo_administrator.post(f"/people/{user.membership}/end-sign-ins", {}, token_from=f"/people/{user.membership}")
    assert "was signed out in 1 place" in page.text
    stolen.get("/guarded/download", status=302)
    assert [mail.subject for mail in mails()][-1] == "Your sign-ins were ended"
    assert [row.facts["why"] for row in events(world.authority.id, "sign_in.all_ended")][-1] == "ended by an administrator"


def test_sending_links_to_a_colleague_is_slowed_down(live_app: Flask, demo_administrator: Browser, world: World) -> None:
    """Attack C4: without a limit, an administrator's sign-in could fill a mailbox."""
    user = add_user(world.authority)
    path = f"/people/{user.membership}/send-reset"
    for _ in range(3):
        demo_administrator.post(path, {}, token_from=f"/people/{user.membership}")
    sent = len(mails())
    demo_administrator.post(path, {}, status=429, token_from=f"/people/{user.membership}")
    assert len(mails()) == sent
    with clock.frozen_at(clock.now() + timedelta(minutes=20)):
        demo_administrator.post(path, {}, status=429, token_from=f"/people/{user.membership}")
