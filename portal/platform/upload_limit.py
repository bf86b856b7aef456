"""The largest file that is accepted: PORTAL_UPLOAD_LIMIT_MB, the one number that pages, readers and releases follow.

Each process sets it once from its settings as it starts. A child made to read a file inherits it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.settings import BYTES_IN_MB, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class _Limit:
    megabytes: int = Settings.upload_limit_mb


_limit = _Limit()


def follow(settings: Settings) -> None:
    """Take the limit of these settings for the rest of the process."""
    _limit.megabytes = settings.upload_limit_mb


def in_megabytes() -> int:
    """The limit as pages write it."""
    return _limit.megabytes


def in_bytes() -> int:
    """The limit in bytes."""
    return _limit.megabytes * BYTES_IN_MB


@contextmanager
def of_megabytes(megabytes: int) -> Iterator[None]:
    """Another limit while the block runs. For tests only."""
    before, _limit.megabytes = _limit.megabytes, megabytes
    try:
        yield
    finally:
        _limit.megabytes = before
