"""Who has the embedded servers of a data folder: one starter owns them, others use them, and nobody stops them under another."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from portal.embedded import folder
from portal.embedded.children import PATIENCE, CannotStartError, Child, ServerUser
from portal.embedded.folder import Running
from portal.embedded.postgres import SUPERUSER, EmbeddedPostgres
from portal.embedded.valkey import EmbeddedValkey, answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings

#: How long one start waits for another that is still making or closing the servers, in seconds.
LONGEST_WAIT = 60.0

#: What a starter is: the whole portal, or one command.
PORTAL = "portal"
COMMAND = "command"


@dataclass(frozen=True)
class Servers:
    """The database, as its owner and as the restricted role, and the queue server."""

    owner_url: str
    app_url: str
    redis_url: str
    data_dir: Path


class Ownership:
    """The servers this program starts for a data folder and stops again. At most one at a time on one folder."""

    def __init__(self, settings: Settings, starter: str) -> None:
        """Say for what; nothing happens before `taken`."""
        self._settings = settings
        self._starter = starter
        self._lock = -1
        self.postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir)
        self.valkey = None if settings.redis_url else EmbeddedValkey(settings.data_dir)

    def taken(self) -> bool:
        """Take the folder if nobody has it."""
        handle = os.open(self._settings.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def start(self) -> Servers:
        """Start what is ours and note it where others find it.

        Raises:
            CannotStartError: with a sentence that says what to do.
        """
        left = Running.on(self._settings.data_dir)
        if self.postgres is not None:
            self.postgres.start()
        if self.valkey is not None:
            self.valkey.start(left.valkey_pid if left else 0)
        running = Running(
            superuser_url=self.postgres.url(SUPERUSER) if self.postgres else "",
            owner_url=self.postgres.owner_url if self.postgres else "",
            app_url=self.postgres.app_url if self.postgres else "",
            redis_url=self.valkey.url if self.valkey else "",
            valkey_pid=self.valkey.child.pid if self.valkey and self.valkey.child else 0,
            starter_pid=os.getpid(),
            starter=self._starter,
        )
        running.keep(self._settings.data_dir)
        return _servers(self._settings, running)

    def children(self) -> list[Child]:
        """The servers, in the order they were started."""
        return [one.child for one in (self.postgres, self.valkey) if one is not None and one.child is not None]

    def stop(self, *, after_others: bool, patience: float = PATIENCE) -> None:
        """Stop the servers, the queue first; `after_others` waits for the commands that use them."""
        users = os.open(self._settings.data_dir / "users", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if after_others:
                with suppress(KeyboardInterrupt):
                    fcntl.flock(users, fcntl.LOCK_EX)
            folder.forget(self._settings.data_dir)
            if self.valkey is not None:
                self.valkey.stop(patience)
            if self.postgres is not None:
                self.postgres.stop(patience)
        finally:
            os.close(users)
            self.let_go()

    def let_go(self) -> None:
        """Give the folder up."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@contextmanager
def servers(settings: Settings) -> Iterator[Servers]:
    """The servers a command works on: those named, else those of the running portal, else its own, stopped at the end.

    Raises:
        CannotStartError: with a sentence that says what to do.
    """
    if settings.database_url and settings.redis_url:
        yield _servers(settings, None)
        return
    folder.prepare(settings.data_dir, ServerUser.chosen())
    own = Ownership(settings, COMMAND)
    until = time.monotonic() + LONGEST_WAIT
    while not own.taken():
        with _using(settings.data_dir):
            running = Running.on(settings.data_dir)
            if running is not None and _serves(settings, running):
                yield _servers(settings, running)
                return
        if time.monotonic() > until:
            message = (
                f"Wait for the other start on {settings.data_dir} to finish, then try again: its database does not answer yet."
            )
            raise CannotStartError(message)
        time.sleep(0.1)
    try:
        yield own.start()
    finally:
        own.stop(after_others=True)


def owned(settings: Settings) -> tuple[Ownership, Servers]:
    """Take the data folder for the whole portal and start its servers; waits for a command that has them.

    Raises:
        CannotStartError: when the portal already runs on this folder, or with another sentence that says what to do.
    """
    own = Ownership(settings, PORTAL)
    if settings.database_url and settings.redis_url:
        return own, _servers(settings, None)
    folder.prepare(settings.data_dir, ServerUser.chosen())
    until = time.monotonic() + LONGEST_WAIT
    while not own.taken():
        running = Running.on(settings.data_dir)
        if running is not None and running.starter == PORTAL:
            message = (
                f"Use the portal that already runs on {settings.data_dir} (process {running.starter_pid}), stop it first, "
                "or set PORTAL_DATA_DIR and PORTAL_PORT to start a second one."
            )
            raise CannotStartError(message)
        if time.monotonic() > until:
            message = f"Wait for the command that uses {settings.data_dir} to finish, then start again."
            raise CannotStartError(message)
        time.sleep(0.1)
    try:
        return own, own.start()
    except BaseException:
        own.stop(after_others=False)
        raise


@contextmanager
def _using(data_dir: Path) -> Iterator[None]:
    """Be counted among those who use the servers, so that their starter waits for us."""
    users = os.open(data_dir / "users", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield
    finally:
        os.close(users)


def _serves(settings: Settings, running: Running) -> bool:
    """Do the noted servers answer, and are they the ones this command needs?"""
    if (not settings.database_url and not running.app_url) or (not settings.redis_url and not running.redis_url):
        message = (
            f"Set DATABASE_URL and REDIS_URL as they are for the portal running on {settings.data_dir}: "
            "it does not use the embedded servers."
        )
        raise CannotStartError(message)
    if not settings.redis_url:
        found = urlsplit(running.redis_url)
        if not answers(found.port or 0, found.password or ""):
            return False
    if settings.database_url:
        return True
    try:
        psycopg.connect(running.app_url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _servers(settings: Settings, running: Running | None) -> Servers:
    found = running or Running("", "", "", "", 0, 0, "")
    return Servers(
        owner_url=settings.migration_url or found.owner_url,
        app_url=settings.database_url or found.app_url,
        redis_url=settings.redis_url or found.redis_url,
        data_dir=settings.data_dir,
    )
