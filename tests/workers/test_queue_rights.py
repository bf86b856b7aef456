"""The queue server's user has the rights that the portal needs, and no more."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError
from sqlalchemy import select

from config.revision import REPOSITORY
from portal.db.work import unit_of_work
from portal.jobs import outbox
from portal.jobs.outbox import OutboxJob
from portal.security.permissions import Role
from tests.support import servers
from tests.support.world import write_rows
from workers import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World

PASSWORD = "a-password-of-the-test"
RULES = [
    line.split()[1:] for line in (REPOSITORY / "config" / "redis-acl.conf").read_text().splitlines() if line.startswith("user ")
]


@pytest.fixture
def administrator() -> Iterator[Redis]:
    """The queue server's own user, who makes the portal's user from the file that is shipped."""
    connection = Redis.from_url(os.environ[servers.REDIS])
    connection.flushdb()
    [(name, *rules)] = [rule for rule in RULES if rule[0] == "portal"]
    connection.execute_command(
        "ACL", "SETUSER", name, "reset", *(rule.replace("CHANGE-the-queues-password", PASSWORD) for rule in rules)
    )
    connection.execute_command("ACL", "LOG", "RESET")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield connection
    connection.execute_command("ACL", "DELUSER", name)
    connection.flushdb()
    connection.close()
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def portal(administrator: Redis) -> Redis:
    """The portal's connection, as its own user."""
    port = urlsplit(os.environ[servers.REDIS]).port
    return outbox.connect(f"redis://portal:{PASSWORD}@127.0.0.1:{port}/0")


def test_the_portal_works_with_these_rights_and_asks_for_no_others(world: World, administrator: Redis, portal: Redis) -> None:
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        write_rows(lambda: outbox.enqueue("registers.recount", school_id=world.authority.primary, academic_year="2026"))
    administrator.flushdb()
    with unit_of_work(None):
        assert outbox.send_due_jobs() >= 1
        outbox.send_due_jobs()
    outbox.redis_queue().enqueue_call("os.system", args=("id",), job_id="planted")
    administrator.zadd("rq:wip:portal", {f"{'0' * 8}-0000-0000-0000-{'0' * 12}-0:x": 1})
    run.new_worker(portal).work(burst=True, logging_level="CRITICAL")
    with unit_of_work(None) as session:
        assert session.scalars(select(OutboxJob.done_at).where(OutboxJob.kind == "registers.recount")).one() is not None
    refused = administrator.execute_command("ACL", "LOG")
    assert [(entry["object"], entry["reason"]) for entry in refused] == []


@pytest.mark.parametrize(
    "command",
    [
        "CONFIG GET *",
        "CONFIG SET dir /tmp",
        "EVAL return(1) 0",
        "SCRIPT LOAD return(1)",
        "FUNCTION LIST",
        "MODULE LIST",
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "SCAN 0",
        "SHUTDOWN NOSAVE",
        "REPLICAOF 127.0.0.1 1",
        "MIGRATE 127.0.0.1 1 rq:x 0 1",
        "SAVE",
        "MONITOR",
        "CLIENT LIST",
        "CLIENT KILL ID 1",
        "ACL LIST",
        "ACL SETUSER portal +@all",
        "PUBLISH rq:pubsub:x y",
        "SUBSCRIBE rq:pubsub:x",
        "GET other",
        "SET other 1",
        "SORT rq:x",
        "DUMP rq:x",
        "RESTORE rq:x 0 x",
        "RENAME rq:x rq:y",
        "SELECT 1",
    ],
)
def test_the_portals_user_may_do_nothing_else(portal: Redis, command: str) -> None:
    with pytest.raises(NoPermissionError):
        portal.execute_command(*command.split())


def test_nobody_signs_in_without_a_name() -> None:
    assert next(rules for name, *rules in RULES if name == "default") == ["off", "resetkeys", "resetchannels", "-@all"]
