"""The current time. Only this module reads it: the rules take dates as arguments."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

LONDON = ZoneInfo("Europe/London")

_set_to: ContextVar[datetime | None] = ContextVar("clock_set_to", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _set_to.get() or datetime.now(UTC)


def today() -> date:
    """The present day in England."""
    return now().astimezone(LONDON).date()


@contextmanager
def frozen_at(instant: datetime) -> Iterator[None]:
    """Set the clock to an aware instant while the block runs. For tests and the demo."""
    if instant.tzinfo is None:
        message = "The clock is set with an aware instant."
        raise ValueError(message)
    token = _set_to.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _set_to.reset(token)
