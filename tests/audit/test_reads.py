"""The log of reads: committed at once, sealed into the chain every minute, and compared with its seals."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import func, select, text, update

import migrations
from local.postgres import EmbeddedPostgres
from portal.audit.actions import record, record_alone, seal_reads
from portal.audit.domain.chain import Seal, SealTally
from portal.audit.events import event
from portal.audit.models import ReadLog
from portal.audit.queries import check_chain, check_reads, newest_seal, sealable_reads
from portal.db import connection as database
from portal.db.work import action, bound_to, tx, unit_of_work
from portal.jobs import outbox, running
from portal.jobs.outbox import OutboxJob
from portal.platform import clock
from portal.security.scope import Actor, Scope
from tests.local.conftest import temporary_data_folder
from tests.support import forked_db
from tests.support.world import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AUTHORITY, NEIGHBOUR = UUID(int=71), UUID(int=72)
SEEN = event("test.seen", "A test saw something", "number")
MINUTE = timedelta(minutes=1)


def _scope(authority_id: UUID = AUTHORITY) -> Scope:
    return Scope(authority_id, None, Actor(uuid4(), uuid4(), "la-officer"))


@dataclass(frozen=True)
class CommittedDatabase:
    """A database whose transactions really commit. Every piece of work runs in a process of its own."""

    server: EmbeddedPostgres
    name: str

    def runs(self, work: Callable[[], object]) -> None:
        """Do `work` with the clock at `NOW`. Its assertions are this test's."""
        assert forked_db.run_forked(self.name, work, url=self.server.url("portal_app", self.name)) == 0

    def does(self, work: Callable[[], object]) -> None:
        """Do `work` in the authority's scope."""

        def in_scope() -> None:
            with unit_of_work(_scope()):
                work()

        self.runs(in_scope)

    @contextmanager
    def as_superuser(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that may do everything, committed at the end."""
        with psycopg.connect(self.server.url("postgres", self.name)) as connection:
            yield connection

    def change(self, statement: str) -> None:
        """Change rows behind the portal's back."""
        with self.as_superuser() as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server of these tests' own.

    A seal waits for the oldest transaction of the whole server, and on the run's server another test's may be open.
    """
    with temporary_data_folder() as folder:
        own = EmbeddedPostgres(folder, durable=False)
        own.start()
        own.create_database("migrated")
        migrations.upgrade(own.url("portal_owner", "migrated"))
        yield own
        own.stop()


@pytest.fixture
def committed(server: EmbeddedPostgres) -> Iterator[CommittedDatabase]:
    """An empty, migrated database."""
    server.create_database("reads", "migrated")
    yield CommittedDatabase(server, "reads")
    server.drop_database("reads")


def _see(count: int) -> None:
    for number in range(count):
        record_alone(SEEN, uuid4(), number=number)


def _fits(*, rows: int, unsealed: int = 0) -> None:
    check = check_reads()
    assert (check.first_bad, check.rows, check.unsealed, check.overdue) == (None, rows, unsealed, 0)
    assert check_chain().first_bad is None


def test_a_read_is_committed_alone_and_takes_no_lock_on_the_chain(committed: CommittedDatabase) -> None:
    def read_and_look_at_the_locks() -> None:
        # Within one outer transaction, so that every lock the read took is still held afterwards.
        with database.engine().connect() as connection, connection.begin(), bound_to(connection), unit_of_work(_scope()):
            _see(1)
            assert _locked_tables() >= {"read_log"}
            assert not {"audit_head", "audit_event"} & _locked_tables()
            _act()
            assert _locked_tables() >= {"audit_head", "audit_event"}, "an event does lock them: this test can fail"

    committed.does(read_and_look_at_the_locks)


def _locked_tables() -> set[str]:
    locked = text("SELECT relname FROM pg_locks JOIN pg_class ON pg_class.oid = relation WHERE pid = pg_backend_pid()")
    return set(tx().scalars(locked))


@action
def _act() -> None:
    record(SEEN, uuid4(), number=1)


def test_reads_go_on_while_another_transaction_holds_the_newest_link_of_the_chain(committed: CommittedDatabase) -> None:
    committed.does(_act)
    with committed.as_superuser() as connection:
        connection.execute("SELECT 1 FROM audit_head FOR UPDATE")
        committed.does(lambda: _see(5))
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        assert connection.execute(waiting).fetchone() == (0,)


def test_a_seal_covers_every_finished_read_once(committed: CommittedDatabase) -> None:
    committed.does(lambda: _see(3))
    committed.does(lambda: _fits(rows=3, unsealed=3))

    def seal_twice() -> None:
        assert [seal_reads(), seal_reads()] == [3, 0]
        seal = newest_seal()
        assert seal is not None
        assert (seal.count, seal.last - seal.first) == (3, 2)
        _fits(rows=3)

    committed.does(seal_twice)
    committed.does(lambda: _see(2))
    committed.does(lambda: seal_reads() == 2 or pytest.fail("the next seal begins where the last one ended"))
    committed.does(lambda: _fits(rows=5))


def test_the_sealing_job_runs_twice_with_one_effect_and_is_due_again_a_minute_later(committed: CommittedDatabase) -> None:
    committed.does(lambda: _see(2))

    def run_the_job() -> None:
        with unit_of_work(None):
            assert outbox.enqueue_repeating("audit.seal_reads", [AUTHORITY, NEIGHBOUR], MINUTE) == 2
            assert outbox.enqueue_repeating("audit.seal_reads", [AUTHORITY, NEIGHBOUR], MINUTE) == 0
            job_ids = tx().scalars(select(OutboxJob.id)).all()
        assert [running.run(str(job_id)) for job_id in job_ids for _ in range(2)] == ["done", "not waiting"] * 2
        with clock.frozen_at(NOW + MINUTE), unit_of_work(None):
            assert outbox.enqueue_repeating("audit.seal_reads", [AUTHORITY, NEIGHBOUR], MINUTE) == 2
        assert [running.run(str(job_id)) for job_id in job_ids] == ["done", "done"], "the same two rows, used again"

    committed.runs(run_the_job)
    committed.does(lambda: _fits(rows=2))


def test_a_sealing_job_that_was_set_aside_is_tried_again(committed: CommittedDatabase) -> None:
    def set_aside_and_enqueue() -> None:
        with unit_of_work(None):
            outbox.enqueue_repeating("audit.seal_reads", [AUTHORITY], MINUTE)
            tx().execute(update(OutboxJob).values(failed_at=NOW - MINUTE))
            assert outbox.enqueue_repeating("audit.seal_reads", [AUTHORITY], MINUTE) == 1
            assert tx().scalar(select(func.count()).where(OutboxJob.failed_at.is_(None))) == 1

    committed.runs(set_aside_and_enqueue)


def test_a_read_that_commits_after_a_seal_with_a_lower_number_is_in_the_next_one(committed: CommittedDatabase) -> None:
    committed.does(lambda: _see(1))
    with committed.as_superuser() as slow:
        slow.execute(
            "INSERT INTO read_log (authority_id, at, role, event, facts) VALUES (%s, %s, 'la-officer', 'test.seen', '{}')",
            [AUTHORITY, NOW],
        )
        committed.does(lambda: _see(2))
        committed.does(lambda: seal_reads() == 1 or pytest.fail("only the read before the unfinished one is sealed"))
        committed.does(lambda: _fits(rows=3, unsealed=2))
    committed.does(lambda: seal_reads() == 3 or pytest.fail("the slow read and those after it are sealed now"))
    committed.does(lambda: _fits(rows=4))


COPY_ROW = (
    "INSERT INTO read_log (authority_id, at, role, event, facts, transaction_id)"
    " SELECT authority_id, at, role, event, facts, transaction_id FROM read_log WHERE id = 2"
)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE read_log SET person_id = gen_random_uuid() WHERE id = 2", "altered"),
        ("UPDATE read_log SET at = at + interval '1 microsecond' WHERE id = 2", "altered"),
        ("UPDATE read_log SET id = 99 WHERE id = 2", "altered"),
        ("DELETE FROM read_log WHERE id = 2", "removed"),
        (COPY_ROW, "added"),
    ],
)
def test_a_changed_row_in_a_sealed_range_is_found(committed: CommittedDatabase, statement: str, why: str) -> None:
    committed.does(lambda: _see(3))
    committed.does(seal_reads)
    committed.does(lambda: _see(2))
    committed.does(seal_reads)
    committed.change(statement)

    def is_found() -> None:
        check = check_reads()
        assert (check.first_bad, check.why) == (1, f"a read between 1 and 3 was {why}")
        assert check_chain().first_bad is None

    committed.does(is_found)


def test_a_removed_seal_is_found(committed: CommittedDatabase) -> None:
    for _ in range(2):
        committed.does(lambda: _see(1))
        committed.does(seal_reads)
    committed.change("DELETE FROM audit_event WHERE sequence = 1")
    committed.does(lambda: check_reads().why == "the seal before it is missing" or pytest.fail("the gap is not found"))


def test_reads_unsealed_for_five_minutes_are_named(committed: CommittedDatabase) -> None:
    committed.does(lambda: _see(2))
    committed.does(seal_reads)
    committed.does(lambda: _see(3))

    def look(minutes: int) -> tuple[int, int, int | None]:
        with clock.frozen_at(NOW + timedelta(minutes=minutes)):
            check = check_reads()
            return check.unsealed, check.overdue, check.first_overdue

    committed.does(lambda: [look(5), look(6)] == [(3, 0, None), (3, 3, 3)] or pytest.fail("the reads are not named"))


def test_the_seals_go_on_after_a_restore_on_a_server_that_numbers_transactions_from_lower_down(
    committed: CommittedDatabase,
) -> None:
    committed.does(lambda: _see(3))
    committed.does(seal_reads)
    committed.does(lambda: _see(2))
    # What a dump carries over: rows with the earlier server's higher numbers, and seals that speak of them.
    moved = 1_000_000_000
    committed.change("UPDATE read_log SET transaction_id = transaction_id + 1000000000")

    def seal_as_the_earlier_server_did() -> None:
        seal, tally = newest_seal(), SealTally()
        assert seal is not None
        for row in sealable_reads(0, 0, seal.until + moved):
            tally.add(row)
        facts = asdict(tally.seal(0, 0, seal.until + moved))
        with committed.as_superuser() as connection:
            connection.execute("UPDATE audit_event SET facts = %s", [Jsonb(facts)])

    committed.does(seal_as_the_earlier_server_did)
    committed.does(lambda: _see(1))
    committed.does(lambda: seal_reads() == 3 or pytest.fail("two reads of the earlier server and one of this"))
    committed.does(lambda: _see(1))
    committed.does(seal_reads)

    def all_fit() -> None:
        check, seal = check_reads(), newest_seal()
        assert (check.first_bad, check.rows, check.unsealed) == (None, 7, 0)
        assert seal is not None
        assert (seal.after, seal.first) == (5, 7)

    committed.does(all_fit)
    committed.change("DELETE FROM read_log WHERE id = 2")
    committed.does(lambda: check_reads().first_bad == 1 or pytest.fail("the removal is not found"))


def test_a_neighbours_reads_are_in_its_own_seals(committed: CommittedDatabase) -> None:
    committed.does(lambda: _see(2))

    def neighbour_sees() -> None:
        with unit_of_work(_scope(NEIGHBOUR)):
            _see(1)
            assert tx().scalar(select(func.count()).select_from(ReadLog)) == 1

    committed.runs(neighbour_sees)
    committed.does(lambda: seal_reads() == 2 or pytest.fail("only this authority's reads are sealed"))


def test_a_seal_reads_back_as_it_was_written() -> None:
    seal = Seal(0, 5, 9, 1, 3, 3, "0" * 64)
    assert Seal.from_facts(asdict(seal)) == seal
    assert Seal.from_facts(asdict(seal)) != replace(seal, count=4)
