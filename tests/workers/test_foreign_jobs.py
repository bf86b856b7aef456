"""The worker runs the portal's own jobs only, and works on beside any other."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sys
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from redis.exceptions import RedisError
from sqlalchemy import select

from portal.db.work import unit_of_work
from portal.jobs import outbox
from portal.jobs.outbox import OutboxJob
from portal.security.permissions import Role
from tests.support import servers
from tests.support.world import write_rows
from workers import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis
    from rq import Worker

    from tests.support.world import World

ENTRY = "portal.jobs.running.run"
JOB_ID = str(uuid4())
OWN = {"func": ENTRY, "args": [JOB_ID]}


class Planted:
    """A module whose import, and whose function, leave a file behind."""

    def __init__(self, folder: Path) -> None:
        self.name = f"planted_{uuid4().hex}"
        self.ran = folder / "ran"
        (folder / f"{self.name}.py").write_text(
            f"from pathlib import Path\nran = Path({str(self.ran)!r})\nran.touch()\ndef act(*_args, **_more):\n    ran.touch()\n"
        )


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[Planted]:
    """A planted module on the path."""
    sys.path.insert(0, str(tmp_path))
    yield Planted(tmp_path)
    sys.path.remove(str(tmp_path))


@pytest.fixture
def queue_server() -> Iterator[Redis]:
    """An empty queue server."""
    connection = outbox.connect(os.environ[servers.REDIS])
    connection.flushdb()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield connection
    connection.flushdb()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def the_worker(connection: Redis) -> Worker:
    """The worker as `workers.run` starts it."""
    return run.new_worker(connection)


def plant(
    connection: Redis, *, data: bytes | None = None, call: list[Any] | None = None, job_id: str | None = None, **written: Any
) -> str:
    """Write a job into Redis by hand, as a person with the queue's password can."""
    job_id = job_id or f"{JOB_ID}-0"
    fields: dict[str, Any] = {
        "created_at": "2026-12-01T09:00:00.000000Z",
        "data": zlib.compress(data if data is not None else json.dumps(call or [ENTRY, None, [JOB_ID], {}]).encode()),
        "origin": "portal",
        "status": "queued",
        "timeout": 900,
        "result_ttl": 0,
        "failure_ttl": 3600,
        **written,
    }
    connection.hset(f"rq:job:{job_id}", mapping=fields)
    connection.rpush("rq:queue:portal", job_id)
    return job_id


def waiting_job(world: World) -> str:
    """A job of the portal's own, in the outbox and in Redis."""
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        write_rows(lambda: outbox.enqueue("registers.recount", school_id=world.authority.primary, academic_year="2026"))
    with unit_of_work(None) as session:
        return str(session.scalars(select(OutboxJob.id).where(OutboxJob.kind == "registers.recount")).one())


def is_done(job_id: str) -> bool:
    with unit_of_work(None) as session:
        return session.scalars(select(OutboxJob.done_at).where(OutboxJob.id == job_id)).one() is not None


class Reduced:
    """Unpickles by a call."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return __import__, (self.name,)


def other_calls(name: str, ran: Path) -> dict[str, dict[str, Any]]:
    """What an attacker may have a job call. Each would import the planted module, call its function or touch its file."""
    touch = f"touch {ran}"
    own = [ENTRY, None, [JOB_ID], {}]
    pickled = pickle.dumps((ENTRY, Reduced(name), (JOB_ID,), {}))
    return {
        "a command": {"call": ["os.system", None, [touch], {}]},
        "a command below the entry's module": {"call": ["portal.jobs.running.os.system", None, [touch], {}]},
        "another function": {"call": [f"{name}.act", None, [JOB_ID], {}]},
        "another function of the portal": {"call": ["portal.jobs.running._return_to_outbox", None, [JOB_ID], {}]},
        "an attribute of the entry": {"call": [f"{ENTRY}.__globals__.__getitem__", None, [JOB_ID], {}]},
        "the entry with a blank": {"call": [f" {ENTRY}", None, [JOB_ID], {}]},
        "the entry's class": {"call": [f"{ENTRY}.__class__", None, [JOB_ID], {}]},
        "an import": {"call": ["builtins.__import__", None, [name], {}]},
        "an instance": {"call": ["format", touch, [JOB_ID], {}]},
        "no function": {"call": [None, None, [JOB_ID], {}]},
        "one argument too many": {"call": [ENTRY, None, [JOB_ID, JOB_ID], {}]},
        "no argument": {"call": [ENTRY, None, [], {}]},
        "a named argument": {"call": [ENTRY, None, [], {"job_id": JOB_ID}]},
        "another argument than its id": {"call": [ENTRY, None, [str(uuid4())], {}]},
        "an argument that is no id": {"call": [ENTRY, None, [f"../{name}"], {}]},
        "an id with brackets": {"call": [ENTRY, None, [f"{{{JOB_ID}}}"], {}]},
        "an argument in a list": {"call": [ENTRY, None, [[JOB_ID]], {}]},
        "a call of five": {"call": [ENTRY, None, [JOB_ID], {}, {}]},
        "a call that is an object": {"data": json.dumps(dict.fromkeys(own[:1])).encode()},
        "nested without end": {"data": b"[" * 200_000},
        "packed without end": {"data": b"[" + b" " * 50_000_000 + b"]"},
        "a pickle": {"data": pickled},
        "a pickle with its serialiser": {"data": pickled, "serializer": "rq.serializers.PickleSerializer"},
        "a serialiser": {"serializer": f"{name}.act"},
    }


def other_fields(name: str) -> dict[str, dict[str, Any]]:
    """What an attacker may write beside a call that is right."""
    pickled = pickle.dumps((ENTRY, Reduced(name), (JOB_ID,), {}))
    return {
        "meta": {"meta": json.dumps({"name": name})},
        "meta as a pickle": {"meta": pickled},
        "a result as a pickle": {"result": pickled},
        "a callback of success": {"success_callback_name": f"{name}.act"},
        "a callback of failure": {
            "success_callback_name": "",
            "failure_callback_name": f"{name}.act",
            "call": ["x.y", None, [], {}],
        },
        "a callback of a stop": {"stopped_callback_name": f"{name}.act"},
        "a webhook": {"webhooks": json.dumps([{"url": "http://127.0.0.1:1/", "job_status": "failed"}])},
        "a dependency": {"dependency_id": f"{uuid4()}-0"},
        "dependencies": {"dependency_ids": json.dumps([f"{uuid4()}-0"]), "allow_dependency_failures": "1"},
        "repeats": {"repeats_left": "5", "repeat_intervals": "[1]"},
        "retries": {"retries_left": "9", "retry_intervals": "[0]"},
        "a limit of rate": {"rate_limit_key": "x", "rate_limit_concurrency": "1"},
        "a group": {"group_id": "x"},
        "a result kept for ever": {"result_ttl": "-1"},
        "a result that is no number": {"result_ttl": "x"},
        "a time without end": {"timeout": "-1"},
        "a time of a day": {"timeout": "86400"},
        "a time that is no number": {"timeout": "x"},
        "a state there is not": {"status": "x"},
        "an origin elsewhere": {"origin": f"../{name}"},
        "words that are not text": {"origin": b"\xff\xfe"},
        "another field": {"x": "1"},
        "an id that is none": {"job_id": f"{name}"},
        "an id RQ does not take": {"job_id": "../../x y"},
    }


def attacks(name: str, ran: Path) -> dict[str, dict[str, Any]]:
    """Every attack by its name."""
    return other_calls(name, ran) | other_fields(name)


NAMES = list(attacks("x", None))  # type: ignore[arg-type]  # names only


@pytest.mark.parametrize("name", NAMES)
def test_a_job_that_is_not_the_portals_fails_unread_and_the_worker_works_on(
    world: World, queue_server: Redis, planted: Planted, name: str
) -> None:
    job_id = plant(queue_server, **attacks(planted.name, planted.ran)[name])
    own = waiting_job(world)
    the_worker(queue_server).work(burst=True, logging_level="CRITICAL")
    assert not planted.ran.exists()
    assert planted.name not in sys.modules
    assert is_done(own)
    assert not [key for kind in ("finished", "scheduled", "deferred", "ready") for key in queue_server.keys(f"rq:{kind}:*")]
    if not name.startswith("an id RQ"):
        assert queue_server.hget(f"rq:job:{job_id}", "status") == b"failed"
        assert queue_server.zscore("rq:failed:portal", job_id) is not None


@pytest.mark.parametrize("key", ["rq:job:{}", "rq:failed:portal", "rq:wip:portal", "rq:workers"])
def test_a_record_of_another_type_ends_no_job_of_the_portals(world: World, queue_server: Redis, key: str) -> None:
    queue_server.set(key.format(f"{JOB_ID}-0"), "x")
    queue_server.rpush("rq:queue:portal", f"{JOB_ID}-0")
    own = waiting_job(world)
    for _ in range(2):
        with suppress(RedisError):
            the_worker(queue_server).work(burst=True, logging_level="CRITICAL")
        queue_server.delete(key)
    assert is_done(own)


def test_nothing_is_taken_from_the_registries_of_jobs(world: World, queue_server: Redis, planted: Planted) -> None:
    for number, registry in enumerate(("scheduled", "deferred", "ready", "wip", "finished", "canceled")):
        job_id = plant(
            queue_server,
            job_id=f"{uuid4()}-{number}",
            call=[f"{planted.name}.act", None, [], {}],
            status=("started" if registry == "wip" else "ready_to_enqueue"),
            failure_callback_name=f"{planted.name}.act",
        )
        queue_server.delete("rq:queue:portal")
        queue_server.zadd(f"rq:{registry}:portal", {f"{job_id}:{uuid4().hex}" if registry == "wip" else job_id: 1})
        queue_server.sadd("rq:queues", "rq:queue:portal")
    queue_server.zadd("rq:wip:portal", {"../x y": 1})
    own = waiting_job(world)
    the_worker(queue_server).work(burst=True, logging_level="CRITICAL")
    assert not planted.ran.exists()
    assert is_done(own)


def test_a_job_that_waits_for_one_of_the_portals_is_not_started_by_it(world: World, queue_server: Redis, planted: Planted) -> None:
    own = waiting_job(world)
    dependent = plant(queue_server, job_id=f"{uuid4()}-0", call=[f"{planted.name}.act", None, [], {}])
    queue_server.lrem("rq:queue:portal", 0, dependent)
    queue_server.sadd(f"rq:job:{own}-0:dependents", dependent)
    queue_server.sadd(f"rq:job:{dependent}:dependencies", f"{own}-0")
    the_worker(queue_server).work(burst=True, logging_level="CRITICAL")
    assert not planted.ran.exists()
    assert is_done(own)


def test_nobody_stops_the_worker_through_redis(world: World, queue_server: Redis) -> None:
    worker = the_worker(queue_server)
    queue_server.set("rq:suspended", 1)
    own = waiting_job(world)
    worker.bootstrap("CRITICAL")
    assert queue_server.publish(f"rq:pubsub:{worker.name}", json.dumps({"command": "shutdown"})) == 0
    worker.register_death()
    the_worker(queue_server).work(burst=True, logging_level="CRITICAL")
    assert is_done(own)
