"""The scope as PostgreSQL is told it: four settings, which end with the transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from portal.db.work import tx, unit_of_work, whole_authority
from portal.platform.refusals import RefusedError
from portal.security.permissions import Role
from portal.security.scope import MOST_SHARES

if TYPE_CHECKING:
    from tests.support.world import World

SETTINGS = ("authority", "schools", "agency", "shares")


def _settings() -> dict[str, str]:
    columns = ", ".join(f"current_setting('app.{name}', true)" for name in SETTINGS)
    row = tx().connection().exec_driver_sql(f"SELECT {columns}").one()
    return dict(zip(SETTINGS, row, strict=True))


def test_a_partners_scope_sets_their_agency_and_shares(world: World) -> None:
    agency, shares = uuid4(), {uuid4(), uuid4()}
    scope = replace(world.authority.scope(Role.PARTNER), agency=agency, shares=frozenset(shares))
    with unit_of_work(scope):
        assert _settings() == {
            "authority": str(world.authority.id),
            "schools": str(UUID(int=0)),
            "agency": str(agency),
            "shares": ",".join(sorted(map(str, shares))),
        }


def test_a_scope_without_agency_clears_that_of_the_one_before(world: World) -> None:
    with unit_of_work(replace(world.authority.scope(Role.PARTNER), agency=uuid4(), shares=frozenset({uuid4()}))):
        tx().connection()
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        assert _settings() == {"authority": str(world.authority.id), "schools": "*", "agency": "", "shares": ""}


def test_without_a_scope_every_setting_is_empty(world: World) -> None:
    with unit_of_work(None):
        assert set(_settings().values()) == {""}


def test_the_whole_authority_keeps_the_agency_and_narrows_again(world: World) -> None:
    scope = replace(world.authority.scope(Role.TRUST_LEAD), agency=uuid4())
    with unit_of_work(scope):
        narrow = _settings()
        with whole_authority():
            assert _settings() == narrow | {"schools": "*"}
        assert _settings() == narrow


def test_a_setting_takes_ids_alone(world: World) -> None:
    scope = replace(world.authority.scope(), agency="x'; SET ROLE portal_owner; --")  # type: ignore[arg-type]  # what a mistake would hand over
    with unit_of_work(scope), pytest.raises(ValueError, match="badly formed"):
        tx().connection()


def test_more_than_two_thousand_shares_are_refused_with_a_sentence(world: World) -> None:
    shares = [uuid4() for _ in range(MOST_SHARES + 1)]
    partner = world.authority.scope(Role.PARTNER)
    with unit_of_work(replace(partner, shares=frozenset(shares[:-1]))):
        assert len(_settings()["shares"].split(",")) == MOST_SHARES
    with pytest.raises(RefusedError, match=r"More than 2,000 parts of cases are open to this person\."):
        replace(partner, shares=frozenset(shares))
