"""Writing registers: new versions of pages, and the tallies and standings that follow in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import aliased

from portal import clock, scope
from portal.audit.actions import record
from portal.audit.events import event
from portal.db import action, tx, wrote
from portal.loading import load
from portal.registers import queries
from portal.registers.models import CurrentPage, MarkNote, Tally
from portal.registers.pages import SESSIONS, extended, merged, packed, undone
from portal.registers.tallies import STANDING_KEYS, TALLY_COLUMNS, completeness, standing_rows, tally_rows
from portal.rules.calendar import register_year

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from portal.pupils.rolls import Roll
    from portal.registers.pages import Marks, Page
    from portal.registers.sheets import Sheet
    from portal.rules.calendar import Calendar

WRITTEN = event("register.written", "Register pages were written", "upload_id", "weeks", "cells")
TAKEN_BACK = event("register.taken_back", "An upload's marks were taken back", "upload_id", "weeks", "cells")
NOTED = event("register.noted", "Minutes late or comments were kept", "upload_id", "notes")
RECOUNTED = event("register.recounted", "Tallies and standings were counted again", "academic_year")

#: How many ids one statement names: PostgreSQL takes 65,535 values at most.
MOST_IN_ONE = 10_000
#: No note is held as an object while notes are changed.
UNSEEN = {"synchronize_session": False}
_PAGE_COLUMNS = ("school_id", "week", "version", "upload_id", "membership_id", "recorded_at", "reason", "marks")


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: weeks with a new version, and cells that now say something else."""

    weeks: tuple[date, ...]
    cells: int


@action
def write_pages(
    school_id: UUID,
    arriving: Mapping[date, Marks],
    *,
    upload_id: UUID | None,
    reason: str = "upload",
    known: Mapping[int, tuple[Roll, Calendar]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Write marks over a school's pages: one new version for each week that changes; an empty cell never erases.

    `known` spares reading a year's roll and the school's calendar again within one transaction.
    The school is locked first, so that two uploads of one week are taken one after the other and both kept.
    """
    queries.lock_school(school_id)
    held = queries.current_pages(school_id, sorted(arriving))
    after = {week: merged(held[week].marks if week in held else marks[:0], marks) for week, marks in arriving.items()}
    written = _store(school_id, held, after, upload_id=upload_id, reason=reason, known=known or {}, progress=progress)
    record(WRITTEN, school_id, upload_id=upload_id, weeks=written.weeks, cells=written.cells)
    return written


@action
def take_back(school_id: UUID, upload_id: UUID) -> Written:
    """Take back everything one upload changed, unless a later version has changed it again. Both stay in the history.

    Its minutes late and comments go with it, and those they replaced come back.
    """
    queries.lock_school(school_id)
    versions = queries.versions_around(school_id, upload_id)
    held = queries.current_pages(school_id, sorted(versions))
    after = {week: undone(before, its, held[week].marks) for week, (before, its) in versions.items()}
    written = _store(school_id, held, after, upload_id=upload_id, reason="undo", known={}, progress=None)
    _take_notes_back(school_id, upload_id)
    record(TAKEN_BACK, school_id, upload_id=upload_id, weeks=written.weeks, cells=written.cells)
    return written


def _take_notes_back(school_id: UUID, upload_id: UUID) -> None:
    """What an upload replaced is replaced by what replaced the upload's own, if anything did."""
    wrote("mark_note")
    own = aliased(MarkNote)
    before = update(MarkNote).where(MarkNote.school_id == school_id, MarkNote.replaced_by == upload_id)
    same = and_(own.pupil_id == MarkNote.pupil_id, own.on == MarkNote.on, own.session == MarkNote.session)
    tx().execute(before.where(own.upload_id == upload_id, same).values(replaced_by=own.replaced_by), execution_options=UNSEEN)
    taken = update(MarkNote).where(MarkNote.school_id == school_id, MarkNote.upload_id == upload_id)
    tx().execute(taken.values(replaced_by=upload_id), execution_options=UNSEEN)


@action
def keep_notes(school_id: UUID, upload_id: UUID, notes: Sequence[tuple[UUID, date, str, int | None, str | None]]) -> None:
    """Keep minutes late and comments: (pupil, day, AM or PM, minutes, comment). A newer note replaces the one for its session."""
    if not notes:
        return
    fresh = {(pupil, on, session): (minutes, comment) for pupil, on, session, minutes, comment in notes}
    pupils, days = {pupil for pupil, *_ in fresh}, {on for _, on, _ in fresh}
    held = select(MarkNote.id, MarkNote.pupil_id, MarkNote.on, MarkNote.session).where(MarkNote.school_id == school_id)
    near = held.where(MarkNote.pupil_id.in_(pupils), MarkNote.on.in_(days), MarkNote.replaced_by.is_(None))
    replaced = [note_id for note_id, *key in tx().execute(near) if tuple(key) in fresh]
    wrote("mark_note")
    for place in range(0, len(replaced), MOST_IN_ONE):
        some = replaced[place : place + MOST_IN_ONE]
        tx().execute(update(MarkNote).where(MarkNote.id.in_(some)).values(replaced_by=upload_id), execution_options=UNSEEN)
    rows = [(uuid4(), school_id, *key, *note, upload_id) for key, note in fresh.items()]
    load("mark_note", ("id", "school_id", "pupil_id", "on", "session", "minutes_late", "comment", "upload_id"), rows)
    record(NOTED, school_id, upload_id=upload_id, notes=len(rows))


@action
def recount(school_id: UUID, academic_year: int) -> None:
    """Count a school's year again: after its calendar, its roll or a date of birth changed."""
    queries.lock_school(school_id)
    sheet = queries.sheet(school_id, academic_year)
    if sheet.weeks:
        _derive(sheet, sheet.weeks)
    record(RECOUNTED, school_id, academic_year=academic_year)


def _store(
    school_id: UUID,
    held: Mapping[date, Page],
    after: Mapping[date, Marks],
    *,
    upload_id: UUID | None,
    reason: str,
    known: Mapping[int, tuple[Roll, Calendar]],
    progress: Callable[[int, int], None] | None,
) -> Written:
    changed: list[date] = []
    cells, at, rows, by = 0, clock.now(), [], scope.current().actor.membership_id
    for week, marks in sorted(after.items()):
        before = extended(held[week].marks if week in held else marks[:0], len(marks))
        count = int(np.count_nonzero(before != marks))
        if count == 0:
            continue
        cells += count
        changed.append(week)
        version = held[week].version + 1 if week in held else 1
        rows.append((school_id, week, version, upload_id, by, at, reason, packed(marks)))
    load("register_page", _PAGE_COLUMNS, rows)
    fresh = {row[1]: (row[2], at) for row in rows}
    by_year: dict[int, list[date]] = {}
    for week in changed:
        by_year.setdefault(register_year(week), []).append(week)
    for academic_year, weeks in by_year.items():
        sheet = queries.sheet(
            school_id, academic_year, instead={week: after[week] for week in weeks}, known=known.get(academic_year)
        )
        _derive(sheet, tuple(weeks), fresh=fresh, progress=progress)
        following = academic_year + 1
        if following not in by_year and set(weeks) & set(queries.tail_weeks(sheet.calendar, following)):
            _stand_again(school_id, following)
    return Written(tuple(changed), cells)


def _derive(
    sheet: Sheet,
    weeks: tuple[date, ...],
    *,
    fresh: Mapping[date, tuple[int, object]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Bring pointers, tallies and standings of one school's year in step with its pages."""
    _point(sheet, fresh or {})
    wrote("tally")
    tx().execute(delete(Tally).where(Tally.school_id == sheet.school_id, Tally.week.in_(weeks)))
    load("tally", TALLY_COLUMNS, tally_rows(sheet, weeks))
    if progress:
        progress(len(weeks), len(sheet.weeks))
    _stand(sheet)


def _stand_again(school_id: UUID, academic_year: int) -> None:
    """Bring a year's standings in step after the last weeks of the year before it changed."""
    if queries.has_pages(school_id, academic_year):
        _stand(queries.sheet(school_id, academic_year))


def _stand(sheet: Sheet) -> None:
    columns, body = standing_rows(sheet, *queries.tail(sheet))
    counted = [name for name in columns if name not in STANDING_KEYS]
    load("standing", columns, body, on_conflict=_upsert("standing", ("authority_id", *STANDING_KEYS), counted))


def _upsert(table: str, keys: tuple[str, ...], counted: list[str]) -> str:
    sets = ", ".join(f"{name} = excluded.{name}" for name in counted)
    held, new = (", ".join(f"{side}.{name}" for name in counted) for side in (table, "excluded"))
    return f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sets} WHERE ({held}) IS DISTINCT FROM ({new})"


def _point(sheet: Sheet, fresh: Mapping[date, tuple[int, object]]) -> None:
    """Keep, for each week, which version is current, and how complete it is."""
    expected, missing = completeness(sheet)
    held = {
        row.week: row
        for row in tx().execute(
            select(
                CurrentPage.week,
                CurrentPage.version,
                CurrentPage.expected,
                CurrentPage.missing,
                CurrentPage.last_day,
                CurrentPage.recorded_at,
            ).where(CurrentPage.school_id == sheet.school_id, CurrentPage.week.in_(sheet.weeks))
        )
    }
    rows = []
    for place, (week, last_day) in enumerate(zip(sheet.weeks, _last_days(sheet), strict=True)):
        version, at = fresh.get(week) or (held[week].version, held[week].recorded_at)
        row = (sheet.school_id, week, version, int(expected[place]), int(missing[place]), last_day, at)
        was = held.get(week)
        if was is None or (was.version, was.expected, was.missing, was.last_day) != (version, row[3], row[4], row[5]):
            rows.append(row)
    names = ("school_id", "week", "version", "expected", "missing", "last_day", "recorded_at")
    load("current_page", names, rows, on_conflict=_upsert("current_page", ("authority_id", "school_id", "week"), list(names[2:])))


def _last_days(sheet: Sheet) -> list[date]:
    """For each week its last day with a mark; the day before the week where it has none (see `queries.HAS_MARKS`)."""
    used = sheet.marks.any(axis=0).reshape(-1, SESSIONS)
    last = np.where(used.any(axis=1), SESSIONS - 1 - used[:, ::-1].argmax(axis=1), -1)
    return [week + timedelta(days=session // 2) for week, session in zip(sheet.weeks, last.tolist(), strict=True)]
