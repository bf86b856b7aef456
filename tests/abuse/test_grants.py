"""Attacks through invitations and changes of role: outliving one's authority, and giving oneself more (AUT-15, AUT-16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.accounts.actions import invitations
from portal.accounts.actions import people as people_actions
from portal.accounts.domain.roles import Reach
from portal.accounts.models import Membership, Person
from portal.accounts.queries.principals import command_line_scope, platform_scope
from portal.db.work import sign_in_rights, tx, unit_of_work
from portal.platform import clock
from portal.security.permissions import Role
from portal.security.scope import Actor, Scope
from tests.accounts.support import (
    OTHER_PASSWORD,
    User,
    add_user,
    events,
    latest_mail,
    link_path,
    mails,
    new_browser,
    sign_in,
    with_authenticator,
)
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from tests.support.browser import Browser
    from tests.support.world import World

INVITED = "You are invited to the attendance portal"
GIVEN = "A role that reads pupils' records was given"


def _sender(world: World, app: Flask, role: Role) -> tuple[User, Browser]:
    """A person of this role, and their browser."""
    user = with_authenticator(add_user(world.authority, role, email="sender@council.example"), world.authority, app)
    browser = new_browser(app)
    sign_in(browser, user)
    return user, browser


def _invite(browser: Browser, world: World, role: Role, email: str = "private@mail.example") -> str:
    """Invite an address by the form. Returns the path of the mailed link."""
    schools = {} if role in {Role.LA_ADMINISTRATOR, Role.LA_MANAGER} else {"school_ids": str(world.authority.primary)}
    browser.post("/people/new", {"name": "Bo", "email": email, "role": role.value, **schools}, token_from="/people/new")
    return link_path(latest_mail(INVITED))


def _end(membership: Membership) -> None:
    people_actions.end_membership(membership.id)


def _lower(membership: Membership) -> None:
    schools = frozenset(membership.school_ids)
    people_actions.change_membership(membership.id, Reach(Role.HEADTEACHER if schools else Role.AUDITOR, schools))


def _end_yesterday(membership: Membership) -> None:
    membership.until = clock.today().replace(day=1)


def _suspend(membership: Membership) -> None:
    tx().get_one(Person, membership.person_id).disabled_at = clock.now()


def _narrow(membership: Membership) -> None:
    membership.school_ids = []


@pytest.mark.parametrize("loss", [_end, _lower, _end_yesterday, _suspend, _narrow])
@pytest.mark.parametrize("role", [Role.SCHOOL_ADMINISTRATOR, Role.LA_ADMINISTRATOR])
def test_an_invitation_does_not_outlive_the_authority_of_whoever_sent_it(
    live_app: Flask, world: World, role: Role, loss: Callable[[Membership], None]
) -> None:
    """Attack C6: invite a private address, lose the role in any way, accept."""
    if role is Role.LA_ADMINISTRATOR and loss is _narrow:
        pytest.skip("an administrator of the authority has no schools to lose")
    user, browser = _sender(world, live_app, role)
    link = _invite(browser, world, role)
    opened = new_browser(live_app, "203.0.113.7")
    assert opened.get(link).h1 == "Accept your invitation", "opened before, and kept open"
    with unit_of_work(command_line_scope(world.authority.id)):
        write_rows(lambda: loss(tx().get_one(Membership, user.membership)))
    new_browser(live_app).get(link, status=410)
    form = {"email": "private@mail.example", "name": "Bo", "password": OTHER_PASSWORD}
    opened.post("/invitation", form, status=410)
    assert events(world.authority.id, "invitation.accepted") == []
    assert len(events(world.authority.id, "invitation.withdrawn")) == (1 if loss in {_end, _lower} else 0)


def test_an_invitation_by_a_platform_operator_stands_while_the_operator_does(live_app: Flask, world: World) -> None:
    with unit_of_work(platform_scope()):
        person = people_actions.add_person("Op Erator", "op@platform.example", password_hash=None)
        membership = people_actions.add_membership(person.id, Role.PLATFORM_OPERATOR)
    operator = Scope(world.authority.id, frozenset(), Actor(person.id, membership.id, Role.PLATFORM_OPERATOR))
    with unit_of_work(operator):
        invitations.invite(
            "Ada", "ada@x.example", Reach(Role.LA_ADMINISTRATOR), lambda token: f"https://portal.example/invitations/{token}"
        )
    link = link_path(latest_mail(INVITED))
    assert new_browser(live_app).get(link).h1 == "Accept your invitation"
    with unit_of_work(platform_scope()):
        write_rows(lambda: setattr(tx().get_one(Membership, membership.id), "ended_at", clock.now()))
    new_browser(live_app).get(link, status=410)


def test_invitations_that_their_sender_may_still_send_stay_open(live_app: Flask, world: World) -> None:
    user, browser = _sender(world, live_app, Role.LA_ADMINISTRATOR)
    link = _invite(browser, world, Role.LA_MANAGER)
    with unit_of_work(command_line_scope(world.authority.id)):
        people_actions.add_membership(user.id, Role.LA_ADMINISTRATOR)
        people_actions.end_membership(user.membership)
    assert new_browser(live_app).get(link).h1 == "Accept your invitation"


@pytest.mark.parametrize("email", ["sender@council.example", " Sender@COUNCIL.example ", "sender+second@council.example"])
def test_nobody_invites_an_address_of_their_own(live_app: Flask, world: World, email: str) -> None:
    """Attack B3: an administrator makes themselves manager, who reads contacts and characteristics."""
    _, browser = _sender(world, live_app, Role.LA_ADMINISTRATOR)
    form = {"name": "Me", "email": email, "role": "la-manager"}
    page = browser.post("/people/new", form, token_from="/people/new")
    assert "You cannot give yourself a role. Ask another administrator to invite you." in page.text
    assert events(world.authority.id, "invitation.sent") == []


def test_nobody_accepts_an_invitation_of_their_own_after_changing_their_address(live_app: Flask, world: World) -> None:
    """Attack B3, with an address that became the sender's own after the invitation."""
    user, browser = _sender(world, live_app, Role.LA_ADMINISTRATOR)
    link = _invite(browser, world, Role.LA_MANAGER)

    def take_address() -> None:
        person = tx().get_one(Person, user.id)
        person.email = person.email_folded = "private@mail.example"

    with unit_of_work(command_line_scope(world.authority.id)), sign_in_rights():
        write_rows(take_address)
    assert browser.get(link).h1 == "Accept your invitation"
    browser.post("/invitation", {}, status=422)
    assert events(world.authority.id, "invitation.accepted") == []


@pytest.mark.parametrize(
    ("role", "posted_role"),
    [(Role.LA_ADMINISTRATOR, "la-manager"), (Role.SCHOOL_ADMINISTRATOR, "attendance-lead")],
)
def test_nobody_changes_their_own_role(live_app: Flask, world: World, role: Role, posted_role: str) -> None:
    """Attack B3, without an invitation: by the page that changes a colleague's role."""
    user, browser = _sender(world, live_app, role)
    schools = {"school_ids": str(world.authority.primary)} if role is Role.SCHOOL_ADMINISTRATOR else {}
    page = browser.post(
        f"/people/{user.membership}/edit", {"role": posted_role, **schools}, token_from=f"/people/{user.membership}/edit"
    )
    assert "You cannot change your own role. Ask another administrator to do it." in page.text
    with unit_of_work(world.authority.scope()):
        assert tx().get_one(Membership, user.membership).role == role


@pytest.mark.parametrize("way", ["invitation", "change of role"])
def test_the_other_administrators_are_told_of_a_role_that_reads_pupils_records(live_app: Flask, world: World, way: str) -> None:
    """Attack B3, with a second address of one's own that nobody can tell from another person's."""
    _, browser = _sender(world, live_app, Role.LA_ADMINISTRATOR)
    colleague = add_user(world.authority, Role.AUDITOR, email="auditor@council.example")
    before = len(mails())
    if way == "invitation":
        _invite(browser, world, Role.LA_MANAGER)
    else:
        browser.post(
            f"/people/{colleague.membership}/edit", {"role": "la-manager"}, token_from=f"/people/{colleague.membership}/edit"
        )
    alerts = [mail for mail in mails()[before:] if mail.subject == GIVEN]
    assert [mail.to for mail in alerts] == ["la-administrator@wrenfold.example"]
    assert "LA attendance manager" in (alerts[0].body or "")
    assert "private@mail.example" not in (alerts[0].body or "")


def test_a_school_administrators_own_invitations_fill_no_administrators_mailbox(live_app: Flask, world: World) -> None:
    _, browser = _sender(world, live_app, Role.SCHOOL_ADMINISTRATOR)
    _invite(browser, world, Role.SCHOOL_OFFICE)
    assert [mail.subject for mail in mails() if mail.subject == GIVEN] == []
