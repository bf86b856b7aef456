"""Jobs: enqueued once, sent until they are done, run once, and set aside when they never finish."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import NoResultFound

from portal import clock
from portal.accounts import actions as accounts
from portal.db import tx, unit_of_work
from portal.permissions import Role
from portal.registers.models import RegisterPage
from portal.uploads import actions as uploads
from portal.uploads.queries import upload
from tests.support import objects, servers
from tests.support.world import NOW, furnish
from workers import jobs, queue
from workers.queue import OutboxJob

if TYPE_CHECKING:
    from uuid import UUID

    from tests.support.world import World


def _waiting() -> list[str]:
    with unit_of_work(None):
        return [
            str(job_id)
            for job_id in tx().scalars(select(OutboxJob.id).where(OutboxJob.done_at.is_(None)).order_by(OutboxJob.run_after))
        ]


def _receive_upload(world: World) -> UUID:
    with unit_of_work(world.here.scope(Role.SCHOOL_OFFICE)):
        return uploads.receive(
            world.here.primary, kind="marks", file_name="register.csv", content=objects.long_csv(4), add_pupils=True
        )


def test_an_upload_is_checked_and_applied_once_however_often_its_jobs_run(world: World) -> None:
    upload_id = _receive_upload(world)
    (check,) = _waiting()
    assert [jobs.run(check), jobs.run(check)] == ["done", "not waiting"]
    with unit_of_work(world.here.scope(Role.SCHOOL_OFFICE)):
        uploads.ask_to_apply(upload_id)
        uploads.ask_to_apply(upload_id)
    (apply,) = _waiting()
    assert [jobs.run(apply), jobs.run(apply)] == ["done", "not waiting"]
    with unit_of_work(world.here.scope(Role.SCHOOL_OFFICE)):
        applied = upload(upload_id)
        assert applied is not None
        assert applied.state == "applied"
        assert tx().scalar(select(func.max(RegisterPage.version))) == 1


@pytest.mark.parametrize("kind", jobs.DAILY)
def test_a_daily_job_is_enqueued_once_a_day_and_can_run_twice(world: World, kind: str) -> None:
    with unit_of_work(None):
        assert queue.promise_for_today(kind, [world.here.id, world.neighbour.id], NOW.date()) == 2
        assert queue.promise_for_today(kind, [world.here.id], NOW.date()) == 0
        assert queue.promise_for_today(kind, [world.here.id], NOW.date() + timedelta(days=1)) == 1
    assert [jobs.run(job_id) for job_id in _waiting() for _ in range(2)] == ["done", "not waiting"] * 3


def test_a_recount_runs_twice_with_one_effect(world: World) -> None:
    objects.made(world.here)
    with unit_of_work(world.here.scope(Role.LA_MANAGER)):
        furnish(lambda: queue.later("registers.recount", school_id=world.here.primary, academic_year="2026"))
    (recount,) = [job_id for job_id in _waiting() if _kind_of(job_id) == "registers.recount"]
    assert [jobs.run(recount), jobs.run(recount)] == ["done", "not waiting"]


def _kind_of(job_id: str) -> str:
    with unit_of_work(None):
        return tx().scalars(select(OutboxJob.kind).where(OutboxJob.id == job_id)).one()


def test_a_job_started_three_times_and_never_finished_is_set_aside(world: World) -> None:
    _receive_upload(world)
    with unit_of_work(None) as session:
        session.execute(update(OutboxJob).values(attempts=queue.TRIES))
        session.commit()
        assert queue.dispatch() == 0
    (check,) = _waiting()
    assert jobs.run(check) == "not waiting"


def test_a_job_lost_by_redis_is_sent_again_after_its_lease(world: World) -> None:
    _receive_upload(world)
    queue.connect(os.environ[servers.REDIS])
    with unit_of_work(None):
        assert queue.dispatch() == 1
        assert queue.dispatch() == 0
    now = NOW
    for is_lost in (False, True):
        now += queue.LEASE + timedelta(seconds=1)
        if is_lost:
            _empty_queues()
        with clock.at(now), unit_of_work(None):
            assert queue.dispatch() == is_lost, "a job still in the queue is not sent again"


def _empty_queues() -> None:
    for name in queue.LANES:
        queue.queue(name).empty()


def _queued_ids() -> list[list[str]]:
    """The ids of the jobs in each queue, in the order in which workers take them."""
    return [[queue_id[:36] for queue_id in queue.queue(name).job_ids] for name in queue.LANES]


def test_upl_20_a_school_that_sends_many_files_holds_up_only_itself(world: World) -> None:
    queue.connect(os.environ[servers.REDIS])
    _empty_queues()
    sent_files = queue.SCHOOL_SHARE + 3
    with unit_of_work(world.here.scope(Role.LA_MANAGER)):
        for school in [world.here.primary] * sent_files + [world.here.secondary]:
            uploads.receive(school, kind="marks", file_name="x.csv", content=objects.long_csv(1))
    with unit_of_work(None):
        school_of = {str(job.id): job.ids["school_id"] for job in tx().scalars(select(OutboxJob))}
    busy_school, quiet_school = str(world.here.primary), str(world.here.secondary)
    for _ in range(2):
        first_queue, second_queue = _queued_ids()
        assert [school_of[job] for job in second_queue] == [busy_school] * 3
        assert sorted(school_of[job] for job in first_queue) == sorted([busy_school] * queue.SCHOOL_SHARE + [quiet_school])
        _empty_queues()
        with unit_of_work(None):
            queue.dispatch()


def test_a_job_of_a_membership_that_has_ended_reaches_no_school(world: World) -> None:
    _receive_upload(world)
    with unit_of_work(world.here.scope(Role.LA_ADMINISTRATOR)):
        accounts.end_membership(world.here.people[Role.SCHOOL_OFFICE][1])
    (check,) = _waiting()
    with pytest.raises(NoResultFound):
        jobs.run(check)
    assert check in _waiting()
