"""Queries on the audit: its pages of events and reads, and whether both are as they were written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import gt, lt
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import BigInteger, Text, cast, func, or_, select

from portal.audit.domain.chain import GENESIS_HASH, Seal, SealTally, digest
from portal.audit.events import SEALED
from portal.audit.models import AuditEvent, AuditHead, ReadLog
from portal.db.work import tx
from portal.platform import clock
from portal.web.paging import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from sqlalchemy import Select

    from portal.web.paging import Position

#: The key in `app.extensions` of the function that returns the names of the people behind memberships.
MEMBER_NAMES = "portal.member_names"

#: After how long a read that no event has sealed is named: the sealing job runs every minute.
SEAL_OVERDUE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """The outcome of checking a chain: the rows read, and the first wrong one."""

    rows: int
    first_bad: int | None
    why: str | None


def check_chain() -> ChainCheck:
    """Check the authority's chain from its start. Names the first row changed, missing or added."""
    previous_hash, rows = GENESIS_HASH, 0
    for row in tx().scalars(select(AuditEvent).order_by(AuditEvent.sequence).execution_options(yield_per=1000)):
        rows += 1
        if row.sequence != rows:
            return ChainCheck(rows, rows, "a row is missing")
        if row.hash != digest(previous_hash, row):
            return ChainCheck(rows, row.sequence, "the row was changed after it was written")
        previous_hash = row.hash
    # Rows cut off at the end leave a chain that fits; only the head still tells how many there were.
    head = tx().scalar(select(AuditHead))
    if (head.sequence if head else 0) != rows:
        return ChainCheck(rows, rows + 1, "the newest rows are missing")
    return ChainCheck(rows, None, None)


@dataclass(frozen=True, slots=True)
class ReadsCheck:
    """The outcome of comparing the log of reads with its seals.

    `first_bad` is the number of the event whose seal does not fit. `unsealed` reads wait for their seal; those that
    have waited too long are counted in `overdue`, the first of them by its number.
    """

    rows: int
    first_bad: int | None
    why: str | None
    unsealed: int = 0
    overdue: int = 0
    first_overdue: int | None = None


def check_reads() -> ReadsCheck:
    """Check the authority's log of reads against the seals in its chain, which `check_chain` answers for."""
    seals = []
    for row in tx().scalars(_seals().order_by(AuditEvent.sequence)):
        try:
            seals.append((row.sequence, Seal.from_facts(row.facts)))
        except ValueError:
            return ReadsCheck(0, row.sequence, "the seal is none that the portal writes")
    # Transactions are numbered anew on another server, so each server's seals are compared with its own rows.
    servers = [(after, list(group)) for after, group in groupby(seals, key=lambda numbered: numbered[1].after)] or [(0, [])]
    rows = 0
    for index, (after, server_seals) in enumerate(servers):
        is_newest = index + 1 == len(servers)
        rows_of_server = iter(_reads_between(after, None if is_newest else servers[index + 1][0]))
        checked, next_row, bad = _compare(server_seals, rows_of_server)
        rows += checked
        if bad is not None:
            return ReadsCheck(rows, *bad)
        if next_row is not None and not is_newest:
            return ReadsCheck(rows, server_seals[-1][0], "a read was added after the last seal of an earlier server")
        if is_newest:
            return _with_unsealed(rows, next_row, rows_of_server)
    raise AssertionError


def _compare(seals: Sequence[tuple[int, Seal]], rows: Iterator[ReadLog]) -> tuple[int, ReadLog | None, tuple[int, str] | None]:
    """The number of rows covered, the first row after them, and the first seal that does not fit."""
    checked, since, row = 0, 0, next(rows, None)
    for sequence, seal in seals:
        if seal.since != since:
            return checked, row, (sequence, "the seal before it is missing")
        tally = SealTally()
        while row is not None and row.transaction_id < seal.until:
            tally.add(row)
            row = next(rows, None)
        checked, since = checked + tally.count, seal.until
        if tally.seal(seal.after, seal.since, seal.until) != seal:
            return checked, row, (sequence, _difference(tally.count, seal))
    return checked, row, None


def _difference(count: int, seal: Seal) -> str:
    change = "was removed" if count < seal.count else "was added" if count > seal.count else "was altered"
    return f"a read between {seal.first} and {seal.last} {change}"


def _with_unsealed(rows: int, first: ReadLog | None, later: Iterator[ReadLog]) -> ReadsCheck:
    """The check of a log whose seals fit, with the rows after the last seal."""
    due = clock.now() - SEAL_OVERDUE
    unsealed = [] if first is None else [(row.id, row.at) for row in (first, *later)]
    overdue = [number for number, at in unsealed if at < due]
    return ReadsCheck(rows + len(unsealed), None, None, len(unsealed), len(overdue), min(overdue, default=None))


def _seals() -> Select[AuditEvent]:
    return select(AuditEvent).where(AuditEvent.event == SEALED.name)


def newest_seal() -> Seal | None:
    """The authority's newest seal."""
    row = tx().scalar(_seals().order_by(AuditEvent.sequence.desc()).limit(1))
    return None if row is None else Seal.from_facts(row.facts)


def highest_sealed_id() -> int:
    """The highest number of a read that any seal covers."""
    highest = select(func.max(cast(AuditEvent.facts["last"].astext, BigInteger))).where(AuditEvent.event == SEALED.name)
    return tx().scalar(highest) or 0


@dataclass(frozen=True, slots=True)
class TransactionHorizon:
    """PostgreSQL's transaction numbers now: all below `lower` have ended, and none from `upper` on has begun."""

    lower: int
    upper: int


def transaction_horizon() -> TransactionHorizon:
    """The transactions that have ended for certain, in every database of the server."""
    snapshot = func.pg_current_snapshot()
    lower, upper = (cast(cast(bound(snapshot), Text), BigInteger) for bound in (func.pg_snapshot_xmin, func.pg_snapshot_xmax))
    row = tx().execute(select(lower.label("lower"), upper.label("upper"))).one()
    return TransactionHorizon(row.lower, row.upper)


def sealable_reads(after: int, since: int, until: int | None) -> Iterator[ReadLog]:
    """The reads of the transactions from `since` to before `until`, in the transactions' order."""
    query = _in_order().where(ReadLog.id > after, ReadLog.transaction_id >= since)
    return iter(tx().scalars(query if until is None else query.where(ReadLog.transaction_id < until)))


def _reads_between(after: int, up_to: int | None) -> Iterator[ReadLog]:
    query = _in_order().where(ReadLog.id > after)
    return iter(tx().scalars(query if up_to is None else query.where(ReadLog.id <= up_to)))


def _in_order() -> Select[ReadLog]:
    # Fetched anew: a row this session holds already would otherwise be shown as it was, not as it is.
    return select(ReadLog).order_by(ReadLog.transaction_id, ReadLog.id).execution_options(yield_per=1000, populate_existing=True)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class EntryKey:
    """What tells an entry of the audit's list from all others, and sorts it.

    In an address it is the time in microseconds, "e" for an event or "r" for a read, and the number.
    """

    at: datetime
    is_read: bool
    number: int

    @property
    def sort_key(self) -> tuple[datetime, bool, int]:
        """What the list is sorted by."""
        return self.at, not self.is_read, self.number

    def __str__(self) -> str:
        """As an address holds it."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}{'r' if self.is_read else 'e'}{self.number}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The key an address holds.

        Raises:
            ValueError: for any other text. A number of more digits than a bigint has would fail in the database.
        """
        match = re.fullmatch(r"([0-9]{1,16})([er])([0-9]{1,18})", text, re.ASCII)
        if match is None:
            message = "This is no entry of the audit's list."
            raise ValueError(message)
        return cls(_EPOCH + int(match[1]) * _MICROSECOND, match[2] == "r", int(match[3]))


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit's list: an event of the chain, or a read."""

    key: EntryKey
    membership_id: UUID | None
    role: str
    event: str
    subject_id: UUID | None


def recent_entries(position: Position, *, about: UUID | None = None) -> Page[Entry]:
    """A page of the events and reads of the authority, or of one subject in it, newest first."""
    start = position.row_id if isinstance(position.row_id, EntryKey) else None
    backwards = position.backwards
    events = _nearest(AuditEvent, AuditEvent.sequence, start, position, is_read=False)
    reads = _nearest(ReadLog, ReadLog.id, start, position, is_read=True)
    if about is not None:
        events, reads = events.where(AuditEvent.subject_id == about), reads.where(ReadLog.subject_id == about)
    entries = [_entry(row, row.sequence, is_read=False) for row in tx().scalars(events)]
    entries += [_entry(row, row.id, is_read=True) for row in tx().scalars(reads)]
    entries.sort(key=lambda entry: entry.key.sort_key, reverse=not backwards)
    has_more, entries = len(entries) > position.size, entries[: position.size]
    if backwards:
        entries.reverse()
    if not entries:
        return Page(())
    has_previous = has_more if backwards else start is not None
    return Page(
        entries,
        str(entries[0].key) if has_previous else None,
        str(entries[-1].key) if backwards or has_more else None,
    )


def _nearest(table: Any, number: Any, start: EntryKey | None, position: Position, *, is_read: bool) -> Select[Any]:
    """The rows of one table from `start` on, in the page's direction: one more than it shows."""
    order = (table.at.asc(), number.asc()) if position.backwards else (table.at.desc(), number.desc())
    query = select(table).order_by(*order).limit(position.size + 1)
    if start is None:
        return query
    beyond = gt if position.backwards else lt
    if is_read == start.is_read:
        return query.where(or_(beyond(table.at, start.at), (table.at == start.at) & beyond(number, start.number)))
    # Of one instant, events stand above reads.
    is_same_instant_beyond = is_read != position.backwards
    return query.where(
        or_(beyond(table.at, start.at), table.at == start.at) if is_same_instant_beyond else beyond(table.at, start.at)
    )


def _entry(row: AuditEvent | ReadLog, number: int, *, is_read: bool) -> Entry:
    return Entry(EntryKey(row.at, is_read, number), row.membership_id, row.role, row.event, row.subject_id)
