"""Actions on registers: write new versions of pages.

What is counted from the pages is updated in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import aliased

from portal.audit.actions import record
from portal.db.bulk import insert_many
from portal.db.work import action, mark_written, tx
from portal.jobs import outbox
from portal.platform import clock
from portal.registers import queries
from portal.registers.domain.pages import SESSIONS, extended, is_mark, merged, packed, reverted
from portal.registers.domain.summary_rows import (
    PUPIL_SUMMARY_KEYS,
    WEEK_SUMMARY_COLUMNS,
    completeness,
    pupil_summary_rows,
    week_summary_rows,
)
from portal.registers.events import NOTED, RECOUNTED, REVERTED, WRITTEN
from portal.registers.models import CurrentPage, MarkNote, SchoolWeekSummary
from portal.rules.calendar import register_year
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.pupils.domain.rolls import Roll
    from portal.registers.domain.pages import Marks, Page
    from portal.registers.domain.year_register import YearRegister
    from portal.rules.calendar import Calendar


RECOUNT = "registers.recount"
#: How many ids one statement may name: PostgreSQL accepts 65,535 values at most.
IDS_PER_STATEMENT = 10_000
#: No note is loaded as an object while notes are changed, so there is nothing for the session to keep in step.
NO_SYNC = {"synchronize_session": False}
_PAGE_COLUMNS = ("school_id", "week", "version", "upload_id", "membership_id", "recorded_at", "reason", "marks")


@dataclass(frozen=True, slots=True)
class WriteSummary:
    """What a write did: weeks with a new version, and how many cells changed."""

    weeks: tuple[date, ...]
    cells: int


@action
def write_pages(
    school_id: UUID,
    marks_by_week: Mapping[date, Marks],
    *,
    upload_id: UUID | None,
    reason: str = "upload",
    preloaded: Mapping[int, tuple[Roll, Calendar]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> WriteSummary:
    """Write marks over a school's pages: a new version for each week that changes.

    An empty cell never erases a mark. `preloaded` holds years whose roll and calendar the caller has already read.
    """
    # Locked before reading: of two uploads for one week the second must merge
    # into what the first wrote, or its new version would drop those marks.
    queries.lock_school(school_id)
    current = queries.current_pages(school_id, sorted(marks_by_week))
    after = {week: merged(current[week].marks if week in current else marks[:0], marks) for week, marks in marks_by_week.items()}
    summary = _store(school_id, current, after, upload_id=upload_id, reason=reason, preloaded=preloaded or {}, progress=progress)
    record(WRITTEN, school_id, upload_id=upload_id, weeks=summary.weeks, cells=summary.cells)
    return summary


@action
def revert_pages(school_id: UUID, upload_id: UUID) -> WriteSummary:
    """Revert an upload: undo every change it made that no later version has changed again.

    Adds versions and removes none. The upload's minutes late and comments go too, and those they replaced return.
    """
    queries.lock_school(school_id)
    versions = queries.versions_around(school_id, upload_id)
    current = queries.current_pages(school_id, sorted(versions))
    after = {week: reverted(before, own, current[week].marks) for week, (before, own) in versions.items()}
    summary = _store(school_id, current, after, upload_id=upload_id, reason="undo", preloaded={}, progress=None)
    _revert_notes(school_id, upload_id)
    record(REVERTED, school_id, upload_id=upload_id, weeks=summary.weeks, cells=summary.cells)
    return summary


def _revert_notes(school_id: UUID, upload_id: UUID) -> None:
    """Withdraw an upload's notes, and give those it replaced the upload's own successor, if any.

    A note is current while `replaced_by` is None. A reverted note is marked as replaced by its own upload.
    """
    mark_written("mark_note")
    own = aliased(MarkNote)
    replaced = update(MarkNote).where(MarkNote.school_id == school_id, MarkNote.replaced_by == upload_id)
    same_session = and_(
        own.authority_id == MarkNote.authority_id,
        own.pupil_id == MarkNote.pupil_id,
        own.on == MarkNote.on,
        own.session == MarkNote.session,
    )
    # In this order: the first statement reads the successors that the second overwrites.
    tx().execute(
        replaced.where(own.upload_id == upload_id, same_session).values(replaced_by=own.replaced_by), execution_options=NO_SYNC
    )
    withdrawn = update(MarkNote).where(MarkNote.school_id == school_id, MarkNote.upload_id == upload_id)
    tx().execute(withdrawn.values(replaced_by=upload_id), execution_options=NO_SYNC)


@action
def save_notes(school_id: UUID, upload_id: UUID, notes: Sequence[tuple[UUID, date, str, int | None, str | None]]) -> None:
    """Store minutes late and comments: (pupil, day, AM or PM, minutes, comment).

    A newer note replaces the current one of its session.
    """
    if not notes:
        return
    new_notes = {(pupil, on, session): (minutes, comment) for pupil, on, session, minutes, comment in notes}
    pupils, days = {pupil for pupil, *_ in new_notes}, {on for _, on, _ in new_notes}
    stored = select(MarkNote.id, MarkNote.pupil_id, MarkNote.on, MarkNote.session).where(MarkNote.school_id == school_id)
    possible = stored.where(MarkNote.pupil_id.in_(pupils), MarkNote.on.in_(days), MarkNote.replaced_by.is_(None))
    replaced = [note_id for note_id, *key in tx().execute(possible) if tuple(key) in new_notes]
    mark_written("mark_note")
    for start in range(0, len(replaced), IDS_PER_STATEMENT):
        batch = replaced[start : start + IDS_PER_STATEMENT]
        tx().execute(update(MarkNote).where(MarkNote.id.in_(batch)).values(replaced_by=upload_id), execution_options=NO_SYNC)
    rows = [(uuid4(), school_id, *key, *note, upload_id) for key, note in new_notes.items()]
    insert_many("mark_note", ("id", "school_id", "pupil_id", "on", "session", "minutes_late", "comment", "upload_id"), rows)
    record(NOTED, school_id, upload_id=upload_id, notes=len(rows))


@action
def recount(school_id: UUID, academic_year: int) -> None:
    """Count a school's year again, after its calendar, its roll or a date of birth changed."""
    queries.lock_school(school_id)
    register = queries.year_register(school_id, academic_year)
    if register.weeks:
        _update_summaries(register, register.weeks)
        _note_way_of_counting(register, register.weeks)
    record(RECOUNTED, school_id, academic_year=academic_year)


@action
def recount_out_of_date() -> int:
    """Enqueue a recount of each school's year whose totals were made in another way of counting. Returns how many."""
    waiting = outbox.waiting(RECOUNT)
    ids = [
        {"school_id": str(school_id), "academic_year": str(academic_year)}
        for school_id, academic_year in queries.years_to_recount()
    ]
    new = [year_ids for year_ids in ids if year_ids not in waiting]
    for year_ids in new:
        outbox.enqueue(RECOUNT, **year_ids)
    return len(new)


def _note_way_of_counting(register: YearRegister, weeks: tuple[date, ...]) -> None:
    """Note today's way of counting for a year whose weeks were all counted now.

    Where some were counted before, they may have been in another way, and the year waits for its recount.
    """
    if set(weeks) != set(register.weeks):
        return
    row = (register.school_id, register.academic_year, queries.todays_way_of_counting())
    names = ("school_id", "academic_year", "way_of_counting")
    insert_many("counted_year", names, [row], on_conflict=_upsert("counted_year", ("authority_id", *names[:2]), [names[2]]))


def _store(
    school_id: UUID,
    current: Mapping[date, Page],
    after: Mapping[date, Marks],
    *,
    upload_id: UUID | None,
    reason: str,
    preloaded: Mapping[int, tuple[Roll, Calendar]],
    progress: Callable[[int, int], None] | None,
) -> WriteSummary:
    changed: list[date] = []
    cells, recorded_at, rows, membership_id = 0, clock.now(), [], scope.current().actor.membership_id
    for week, marks in sorted(after.items()):
        before = extended(current[week].marks if week in current else marks[:0], len(marks))
        changed_cells = int(np.count_nonzero(before != marks))
        if changed_cells == 0:
            continue
        cells += changed_cells
        changed.append(week)
        version = current[week].version + 1 if week in current else 1
        rows.append((school_id, week, version, upload_id, membership_id, recorded_at, reason, packed(marks)))
    insert_many("register_page", _PAGE_COLUMNS, rows)
    new_versions = {row[1]: (row[2], recorded_at) for row in rows}
    by_year: dict[int, list[date]] = {}
    policy = queries.todays_policy()
    for week in changed:
        by_year.setdefault(register_year(week), []).append(week)
    for academic_year, weeks in by_year.items():
        register = queries.year_register(
            school_id, academic_year, instead={week: after[week] for week in weeks}, preloaded=preloaded.get(academic_year)
        )
        _update_summaries(register, tuple(weeks), new_versions=new_versions, progress=progress)
        _note_way_of_counting(register, tuple(weeks))
        # Ten school weeks may span a summer, so the last weeks of a year count towards the next year's threshold.
        following = academic_year + 1
        if following not in by_year and set(weeks) & set(queries.tail_weeks(register.calendar, following, policy)):
            _update_following_year(school_id, following)
    return WriteSummary(tuple(changed), cells)


def _update_summaries(
    register: YearRegister,
    weeks: tuple[date, ...],
    *,
    new_versions: Mapping[date, tuple[int, object]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Update the current versions and both summaries of a school's year from its pages."""
    _update_current_pages(register, new_versions or {})
    mark_written("school_week_summary")
    tx().execute(
        delete(SchoolWeekSummary).where(SchoolWeekSummary.school_id == register.school_id, SchoolWeekSummary.week.in_(weeks))
    )
    insert_many("school_week_summary", WEEK_SUMMARY_COLUMNS, week_summary_rows(register, weeks))
    if progress:
        progress(len(weeks), len(register.weeks))
    _update_pupil_summaries(register)


def _update_following_year(school_id: UUID, academic_year: int) -> None:
    """Update a year's pupil summaries after the last weeks of the year before changed."""
    if queries.has_pages(school_id, academic_year):
        _update_pupil_summaries(queries.year_register(school_id, academic_year))


def _update_pupil_summaries(register: YearRegister) -> None:
    policy = queries.todays_policy()
    columns, body = pupil_summary_rows(register, *queries.tail(register, policy), policy)
    counted = [name for name in columns if name not in PUPIL_SUMMARY_KEYS]
    insert_many(
        "pupil_year_summary",
        columns,
        body,
        on_conflict=_upsert("pupil_year_summary", ("authority_id", *PUPIL_SUMMARY_KEYS), counted),
    )


def _upsert(table: str, keys: tuple[str, ...], counted: list[str]) -> str:
    # IS DISTINCT FROM spares rows that stay the same: an apply changes a few pupils of a school, not all.
    assignments = ", ".join(f"{name} = excluded.{name}" for name in counted)
    current, new = (", ".join(f"{source}.{name}" for name in counted) for source in (table, "excluded"))
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {assignments} WHERE ({current}) IS DISTINCT FROM ({new})"


def _update_current_pages(register: YearRegister, new_versions: Mapping[date, tuple[int, object]]) -> None:
    """Store each week's current version and how complete it is; unchanged weeks are left alone."""
    expected, missing = completeness(register)
    stored = {
        row.week: row
        for row in tx().execute(
            select(
                CurrentPage.week,
                CurrentPage.version,
                CurrentPage.expected,
                CurrentPage.missing,
                CurrentPage.last_day,
                CurrentPage.recorded_at,
            ).where(CurrentPage.school_id == register.school_id, CurrentPage.week.in_(register.weeks))
        )
    }
    rows = []
    for index, (week, last_day) in enumerate(zip(register.weeks, _last_days(register), strict=True)):
        version, recorded_at = new_versions.get(week) or (stored[week].version, stored[week].recorded_at)
        row = (register.school_id, week, version, int(expected[index]), int(missing[index]), last_day, recorded_at)
        previous = stored.get(week)
        if previous is None or (previous.version, previous.expected, previous.missing, previous.last_day) != (
            version,
            row[3],
            row[4],
            row[5],
        ):
            rows.append(row)
    names = ("school_id", "week", "version", "expected", "missing", "last_day", "recorded_at")
    insert_many(
        "current_page", names, rows, on_conflict=_upsert("current_page", ("authority_id", "school_id", "week"), list(names[2:]))
    )


def _last_days(register: YearRegister) -> list[date]:
    """Each week's last day with a mark.

    The day before the week where it has no mark: `queries.HAS_MARKS` relies on that.
    """
    used = is_mark(register.marks).any(axis=0).reshape(-1, SESSIONS)
    last = np.where(used.any(axis=1), SESSIONS - 1 - used[:, ::-1].argmax(axis=1), -1)
    return [week + timedelta(days=session // 2) for week, session in zip(register.weeks, last.tolist(), strict=True)]
