"""The first administrator, the people of several authorities, and the change of the secret key, by commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest

from portal.accounts.actions import people as people_actions
from portal.accounts.domain import second_factor
from portal.accounts.queries.principals import authority_by_slug, command_line_scope, invitation_by_token
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.security.permissions import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from tests.commands.conftest import Terminal

OLD_KEY, NEW_KEY = "0123456789-abcdefghij-the-old-one", "abcdefghij-0123456789-the-new-one"


@pytest.fixture
def added(terminal: Terminal, request: pytest.FixtureRequest) -> str:
    """The short name of an authority of this test's own."""
    slug = f"a-{abs(hash(request.node.name)) % 10**8}"
    terminal.succeed("authority", "add", slug, "--name", "Authority", "--la-code", "009")
    return slug


@pytest.fixture
def connected(terminal: Terminal) -> Iterator[Callable[[], None]]:
    """A function that connects this process to the terminal's database again, after a command."""
    engines = []
    yield lambda: engines.append(database.connect(terminal.environment["DATABASE_URL"]))
    for engine in engines:
        engine.dispose()


def _add_first(terminal: Terminal, slug: str, email: str = "ada@first.example") -> tuple[int, dict[str, dict[str, str]]]:
    return terminal.run("people", "add-first", "--authority", slug, "--name", "Ada First", "--email", email)


@pytest.mark.parametrize("slug", ["added", "platform"])
def test_the_first_administrator_is_invited_by_a_link_that_works(
    terminal: Terminal, connected: Callable[[], None], added: str, slug: str
) -> None:
    """Finding B2: the guide promised a command, and people would have written SQL by hand."""
    status, document = _add_first(terminal, added if slug == "added" else slug)
    assert status == 0
    connected()
    with unit_of_work(None):
        invitation = invitation_by_token(urlsplit(document["invited"]["link"]).path.rpartition("/")[2])
    assert invitation is not None
    assert invitation.role == (Role.LA_ADMINISTRATOR if slug == "added" else Role.PLATFORM_OPERATOR)


def test_a_second_first_administrator_is_refused(terminal: Terminal, connected: Callable[[], None], added: str) -> None:
    connected()
    with unit_of_work(None):
        authority = authority_by_slug(added)
    assert authority is not None
    with unit_of_work(command_line_scope(authority.id)):
        person = people_actions.add_person("Ada First", f"ada@{added}.example")
        people_actions.add_membership(person.id, Role.LA_ADMINISTRATOR)
    status, document = _add_first(terminal, added)
    assert status == 1
    assert "There is an administrator already" in str(document["error"])


def test_a_new_first_invitation_ends_the_one_before(terminal: Terminal, connected: Callable[[], None], added: str) -> None:
    links = [_add_first(terminal, added)[1]["invited"]["link"] for _ in range(2)]
    connected()
    with unit_of_work(None):
        opened = [invitation_by_token(urlsplit(link).path.rpartition("/")[2]) is not None for link in links]
    assert opened == [False, True]


@pytest.mark.parametrize(
    ("slug", "email"), [("nowhere", "ada@first.example"), ("added", "not an address"), ("added", "a@b.example\nBcc: x@y.example")]
)
def test_what_cannot_be_invited_is_a_problem(terminal: Terminal, added: str, slug: str, email: str) -> None:
    assert _add_first(terminal, added if slug == "added" else slug, email)[0] == 1


@pytest.mark.parametrize("command", ["reset-second-factor", "reinstate", "end-sign-ins"])
def test_those_who_run_the_portal_act_on_a_person_of_several_authorities(
    terminal: Terminal, connected: Callable[[], None], added: str, command: str
) -> None:
    connected()
    with unit_of_work(None):
        authority = authority_by_slug(added)
    assert authority is not None
    with unit_of_work(command_line_scope(authority.id)):
        person = people_actions.add_person("Ann Both", f"both@{added}.example")
        people_actions.add_membership(person.id, Role.LA_OFFICER)
    assert terminal.succeed("people", command, "--email", f"Both@{added}.example")["person"] == str(person.id)
    assert "no account" in terminal.fail("people", command, "--email", "nobody@first.example")["error"]


def _store_secret(terminal: Terminal, slug: str, seal: Callable[[UUID], bytes]) -> UUID:
    """A person with a second factor encrypted in this way."""
    with unit_of_work(None):
        authority = authority_by_slug(slug)
    assert authority is not None
    with unit_of_work(command_line_scope(authority.id)):
        person = people_actions.add_person("Key Holder", f"{os.urandom(6).hex()}@{slug}.example")
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute("SET ROLE portal_owner")
        connection.execute("UPDATE credential SET totp_secret = %s WHERE person_id = %s", (seal(person.id), person.id))
    return person.id


def _stored(person_id: UUID) -> bytes:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        row = connection.execute("SELECT totp_secret FROM credential WHERE person_id = %s", (person_id,)).fetchone()
    assert row is not None
    return bytes(row[0])


def _sealed_before_keys_had_ids(secret: str, person_id: UUID) -> bytes:
    """A second factor as earlier releases stored it: the nonce and the ciphertext alone."""
    return second_factor.seal(secret, second_factor.derive_keys(OLD_KEY), person_id)[12:]


def test_second_factors_move_to_a_new_key_and_open_with_it_alone(
    terminal: Terminal, connected: Callable[[], None], added: str
) -> None:
    """Finding B8: without this a leaked key could never be changed."""
    connected()
    with_id = _store_secret(terminal, added, lambda person: second_factor.seal("ABC", second_factor.derive_keys(OLD_KEY), person))
    without_id = _store_secret(terminal, added, lambda person: _sealed_before_keys_had_ids("DEF", person))
    os.environ.update(PORTAL_SECRET_KEY=NEW_KEY)
    try:
        refusal = terminal.fail("keys", "rotate")
        assert "PORTAL_OLD_SECRET_KEYS" in refusal["error"]
        assert refusal["problems"] == [{"unopened": 2, "encrypted_anew": 0}]
        os.environ.update(PORTAL_OLD_SECRET_KEYS=f"another-key-of-32-letters-or-more-x {OLD_KEY}")
        done = terminal.succeed("keys", "rotate")
        assert (done["encrypted_anew"], done["unopened"]) == (2, 0)
        assert terminal.succeed("keys", "rotate")["encrypted_anew"] == 0
    finally:
        for name in ("PORTAL_SECRET_KEY", "PORTAL_OLD_SECRET_KEYS"):
            os.environ.pop(name, None)
    new = second_factor.derive_keys(NEW_KEY)
    assert second_factor.unseal(_stored(with_id), new, with_id) == "ABC"
    assert second_factor.unseal(_stored(without_id), new, without_id) == "DEF"
    with pytest.raises(second_factor.TamperedError):
        second_factor.unseal(_stored(with_id), second_factor.derive_keys(OLD_KEY), with_id)
