"""Jobs: enqueued once, sent until they are done, run once, and set aside when they never finish."""

from __future__ import annotations

import os
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from portal import capabilities
from portal.accounts.actions import people as people_actions
from portal.db.work import tx, unit_of_work
from portal.jobs import outbox, running
from portal.jobs.outbox import OutboxJob
from portal.platform import clock
from portal.platform.refusals import NotFoundError
from portal.registers.models import RegisterPage
from portal.security.permissions import Role
from portal.uploads import actions as uploads
from portal.uploads.queries import upload
from tests.support import objects, servers
from tests.support.world import NOW, write_rows

if TYPE_CHECKING:
    from uuid import UUID

    from tests.support.world import World

DAILY = [kind for kind, job in capabilities.jobs().items() if job.daily is not None]


def _waiting() -> list[str]:
    with unit_of_work(None):
        return [
            str(job_id)
            for job_id in tx().scalars(select(OutboxJob.id).where(OutboxJob.done_at.is_(None)).order_by(OutboxJob.run_after))
        ]


def _receive_upload(world: World) -> UUID:
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        return uploads.receive(
            world.authority.primary, kind="marks", file_name="register.csv", content=objects.long_csv(4), add_pupils=True
        )


def test_an_upload_is_checked_and_applied_once_however_often_its_jobs_run(world: World) -> None:
    upload_id = _receive_upload(world)
    (check,) = _waiting()
    assert [running.run(check), running.run(check)] == ["done", "not waiting"]
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        uploads.request_apply(upload_id)
        uploads.request_apply(upload_id)
    (apply,) = _waiting()
    assert [running.run(apply), running.run(apply)] == ["done", "not waiting"]
    with unit_of_work(world.authority.scope(Role.SCHOOL_OFFICE)):
        applied = upload(upload_id)
        assert applied is not None
        assert applied.state == "applied"
        assert tx().scalar(select(func.max(RegisterPage.version))) == 1


@pytest.mark.parametrize("kind", DAILY)
def test_a_daily_job_is_enqueued_once_a_day_and_can_run_twice(world: World, kind: str) -> None:
    with unit_of_work(None):
        assert outbox.enqueue_daily(kind, [world.authority.id, world.neighbour.id], NOW.date(), time(2)) == 2
        assert outbox.enqueue_daily(kind, [world.authority.id], NOW.date(), time(2)) == 0
        assert outbox.enqueue_daily(kind, [world.authority.id], NOW.date() + timedelta(days=1), time(2)) == 1
    assert [running.run(job_id) for job_id in _waiting() for _ in range(2)] == ["done", "not waiting"] * 3


def test_a_recount_runs_twice_with_one_effect(world: World) -> None:
    objects.make_objects(world.authority)
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        write_rows(lambda: outbox.enqueue("registers.recount", school_id=world.authority.primary, academic_year="2026"))
    (recount,) = [job_id for job_id in _waiting() if _kind_of(job_id) == "registers.recount"]
    assert [running.run(recount), running.run(recount)] == ["done", "not waiting"]


def _kind_of(job_id: str) -> str:
    with unit_of_work(None):
        return tx().scalars(select(OutboxJob.kind).where(OutboxJob.id == job_id)).one()


def test_a_job_started_three_times_and_never_finished_is_set_aside(world: World) -> None:
    _receive_upload(world)
    with unit_of_work(None) as session:
        session.execute(update(OutboxJob).values(attempts=outbox.MAX_STARTS))
        session.commit()
        assert outbox.send_due_jobs() == 0
    (check,) = _waiting()
    assert running.run(check) == "not waiting"


def test_a_job_lost_by_redis_is_sent_again_after_its_lease(world: World) -> None:
    _receive_upload(world)
    outbox.connect(os.environ[servers.REDIS])
    with unit_of_work(None):
        assert outbox.send_due_jobs() == 1
        assert outbox.send_due_jobs() == 0
    now = NOW
    for is_lost in (False, True):
        now += outbox.LEASE + timedelta(seconds=1)
        if is_lost:
            _empty_queues()
        with clock.frozen_at(now), unit_of_work(None):
            assert outbox.send_due_jobs() == is_lost, "a job still in the queue is not sent again"


def _empty_queues() -> None:
    for name in outbox.PRIORITY_QUEUES:
        outbox.redis_queue(name).empty()


def _queued_ids() -> list[list[str]]:
    """The ids of the jobs in each queue, in the order in which workers take them."""
    return [[queue_id[:36] for queue_id in outbox.redis_queue(name).job_ids] for name in outbox.PRIORITY_QUEUES]


def test_upl_20_a_school_that_sends_many_files_holds_up_only_itself(world: World) -> None:
    outbox.connect(os.environ[servers.REDIS])
    _empty_queues()
    sent_files = outbox.SCHOOL_SHARE + 3
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        for school in [world.authority.primary] * sent_files + [world.authority.secondary]:
            uploads.receive(school, kind="marks", file_name="x.csv", content=objects.long_csv(1))
    with unit_of_work(None):
        school_of = {str(job.id): job.ids["school_id"] for job in tx().scalars(select(OutboxJob))}
    busy_school, quiet_school = str(world.authority.primary), str(world.authority.secondary)
    for _ in range(2):
        first_queue, second_queue = _queued_ids()
        assert [school_of[job] for job in second_queue] == [busy_school] * 3
        assert sorted(school_of[job] for job in first_queue) == sorted([busy_school] * outbox.SCHOOL_SHARE + [quiet_school])
        _empty_queues()
        with unit_of_work(None):
            outbox.send_due_jobs()


def test_a_job_of_a_membership_that_has_ended_reaches_no_school(world: World) -> None:
    _receive_upload(world)
    with unit_of_work(world.authority.scope(Role.LA_ADMINISTRATOR)):
        people_actions.end_membership(world.authority.people[Role.SCHOOL_OFFICE][1])
    (check,) = _waiting()
    with pytest.raises(NotFoundError):
        running.run(check)
    assert check in _waiting()
