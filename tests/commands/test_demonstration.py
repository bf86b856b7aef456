"""The demonstration and real authorities never share a database, whichever comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from portal.accounts.actions import people as people_actions
from portal.accounts.queries.principals import command_line_scope
from portal.db import connection as database
from portal.db.work import unit_of_work

if TYPE_CHECKING:
    from tests.commands.conftest import Terminal

REALTOWN = ("authority", "add", "realtown", "--name", "Realtown", "--la-code", "009")


def test_no_demonstration_is_made_beside_a_real_authority(terminal: Terminal) -> None:
    """Attack C8: the demonstration's people would be signed in beside real records."""
    terminal.succeed(*REALTOWN)
    for flags in ((), ("--reset",), ("--if-empty",)):
        assert "Set PORTAL_DEMO to 0" in terminal.fail("demo", "--schools", "1", *flags)["error"]


def test_no_authority_is_added_beside_the_demonstration(terminal: Terminal) -> None:
    """Attack C8: `portal authority add` while the demonstration is on."""
    engine = database.connect(terminal.environment["DATABASE_URL"])
    with unit_of_work(command_line_scope(uuid4())):
        people_actions.add_authority("wrenfold", "Wrenfold", "001", demonstration=True)
    engine.dispose()
    refusal = terminal.fail("authority", "add", "otherland", "--name", "Otherland", "--la-code", "008")
    assert "Give the authority a database of its own" in refusal["error"]
