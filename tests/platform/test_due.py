"""What is due: one row for each live thing, written by its steps."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.accounts.actions import invitations
from portal.accounts.domain.roles import Reach
from portal.db.work import tx, unit_of_work
from portal.platform import clock
from portal.platform.due import Where, begin, take_step
from portal.platform.models import Due
from portal.platform.refusals import RefusedError
from portal.security.permissions import Role
from portal.uploads import actions as uploads
from tests.platform.test_lifecycle import LETTER
from tests.support.world import NOW
from tests.uploads.files import csv, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.support.world import World


def _due(thing_id: UUID) -> Due | None:
    return tx().scalar(select(Due).where(Due.thing_id == thing_id).execution_options(populate_existing=True))


def test_a_new_thing_is_due_to_its_owner_by_its_date(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    letter, owner = SimpleNamespace(id=uuid4(), state="open"), uuid4()
    begin(LETTER, letter, Where(school_id=world.authority.primary, owner_id=owner, endpoint="letters.show"))
    due = _due(letter.id)
    assert due is not None
    assert (due.kind, due.state, due.owner, due.owner_id) == ("letter", "open", "school", owner)
    assert (due.next_date, due.why, due.endpoint, due.since) == (date(2026, 12, 1), "Answer it", "letters.show", NOW)


def test_a_step_replaces_what_was_due_and_the_last_one_removes_it(world: World, as_role: Callable[..., Session]) -> None:
    as_role()
    letter, where = SimpleNamespace(id=uuid4(), state="open"), Where(school_id=world.authority.primary)
    begin(LETTER, letter, where)
    with clock.frozen_at(NOW + timedelta(days=1)):
        take_step(LETTER, letter, "hold", where)
    due = _due(letter.id)
    assert due is not None
    assert (due.state, due.owner, due.next_date, due.why) == ("on-hold", "portal", None, "The portal goes on by itself.")
    assert due.since == NOW + timedelta(days=1)
    take_step(LETTER, letter, "close", where)
    assert _due(letter.id) is None


def test_a_refused_step_leaves_what_is_due(world: World, as_role: Callable[..., Session]) -> None:
    as_role()
    letter = SimpleNamespace(id=uuid4(), state="on-hold")
    with pytest.raises(ValueError, match="A new letter cannot be on-hold"):
        begin(LETTER, letter, Where())
    letter.state = "open"
    begin(LETTER, letter, Where())
    take_step(LETTER, letter, "hold", Where())
    with pytest.raises(RefusedError):
        take_step(LETTER, letter, "hold", Where())
    due = _due(letter.id)
    assert due is not None
    assert due.state == "on-hold"


def test_what_is_due_of_a_school_is_seen_by_that_school_and_the_authority(world: World) -> None:
    elsewhere, everyones = SimpleNamespace(id=uuid4(), state="open"), SimpleNamespace(id=uuid4(), state="open")

    def visible_ids() -> set[UUID]:
        ids = (elsewhere.id, everyones.id)
        return {due.thing_id for due in tx().scalars(select(Due).where(Due.thing_id.in_(ids)))}

    with unit_of_work(world.authority.scope()) as session:
        begin(LETTER, elsewhere, Where(school_id=world.authority.secondary))
        begin(LETTER, everyones, Where())
        session.commit()
        assert visible_ids() == {elsewhere.id, everyones.id}
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        assert visible_ids() == {everyones.id}
    with unit_of_work(world.neighbour.scope()):
        assert visible_ids() == set()


def test_the_steps_of_an_upload_write_what_is_due(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    content = csv(row(0, "02/11/2026", "AM", "I"))
    upload_id = uploads.receive(world.authority.primary, kind="marks", file_name="x.csv", content=content, add_pupils=True)
    received = _due(upload_id)
    assert received is not None
    assert (received.kind, received.owner, received.next_date) == ("upload", "portal", None)
    uploads.check(upload_id)
    previewed = _due(upload_id)
    assert previewed is not None
    assert (previewed.owner, previewed.next_date, previewed.school_id) == ("school", date(2026, 12, 2), world.authority.primary)
    uploads.request_apply(upload_id)
    uploads.apply(upload_id)
    assert _due(upload_id) is None


def test_a_file_applied_at_once_leaves_nothing_due(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.SCHOOL_OFFICE)
    for content in (csv(row(0, "02/11/2026", "AM", "I")), b"%PDF-1.7 something"):
        upload_id = uploads.import_file(world.authority.primary, kind="marks", file_name="x", content=content)
        assert _due(upload_id) is None


def test_an_invitation_is_due_until_it_is_withdrawn_or_expires(world: World, as_role: Callable[..., Session]) -> None:
    as_role(Role.LA_ADMINISTRATOR)
    withdrawn, expired = (
        invitations.invite(name, f"{name}@council.example", Reach(Role.LA_OFFICER), lambda token: token).id for name in ("bo", "jo")
    )
    due = _due(withdrawn)
    assert due is not None
    assert (due.owner_id, due.next_date) == (world.authority.people[Role.LA_ADMINISTRATOR][1], date(2026, 12, 2))
    invitations.withdraw_invitation(withdrawn)
    assert _due(withdrawn) is None
    assert invitations.expire_invitations() == 0
    with clock.frozen_at(NOW + invitations.INVITATION_LIFETIME):
        assert [invitations.expire_invitations(), invitations.expire_invitations()] == [1, 0]
    assert _due(expired) is None
