"""Locking for the embedded servers of a data folder.

One process owns them, others may use them, and the owner waits for its users before it stops them. Two lock files do it:
the owner holds `lock` exclusively, and each user holds `users` shared. The kernel drops both locks when a process dies,
so that a killed one never blocks the next start, as a file of its process id could.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from local import folders
from local.child_processes import STOP_TIMEOUT, CannotStartError, Child, ServerUser
from local.folders import ServersState
from local.postgres import SUPERUSER, EmbeddedPostgres
from local.valkey import EmbeddedValkey, answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from config.settings import Settings

#: How many seconds one start waits for another that is still starting or stopping the servers.
WAIT_TIMEOUT = 60.0

#: The two kinds of owner: the whole portal, or one command.
PORTAL = "portal"
COMMAND = "command"


@dataclass(frozen=True)
class Servers:
    """The addresses of the database (as its owner and as the restricted role) and of the queue server."""

    owner_url: str
    app_url: str
    redis_url: str
    data_dir: Path


class Ownership:
    """The servers that this process starts and stops for a data folder, and its lock on the folder."""

    def __init__(self, settings: Settings, starter: str) -> None:
        """Note what to start; nothing happens before `try_lock`."""
        self._settings = settings
        self._starter = starter
        self._lock = -1
        self.postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir)
        self.valkey = None if settings.redis_url else EmbeddedValkey(settings.data_dir)

    def try_lock(self) -> bool:
        """Lock the folder. False when another process holds it."""
        handle = os.open(self._settings.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._lock = handle
        return True

    def start(self) -> Servers:
        """Start the embedded servers, and write the state file from which other processes learn of them.

        Raises:
            CannotStartError: with a sentence that says what to do.
        """
        previous = ServersState.on(self._settings.data_dir)
        if self.postgres is not None:
            self.postgres.start()
        if self.valkey is not None:
            self.valkey.start(previous.valkey_pid if previous else 0)
        running = ServersState(
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
        return [server.child for server in (self.postgres, self.valkey) if server is not None and server.child is not None]

    def stop(self, *, after_others: bool, timeout: float = STOP_TIMEOUT) -> None:
        """Stop the servers, the queue first; `after_others` waits for the commands that use them.

        A command waits, or a second one that uses its database would lose it half way. The portal does not: a person who
        presses Ctrl-C expects it to stop.
        """
        users = os.open(self._settings.data_dir / "users", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if after_others:
                with suppress(KeyboardInterrupt):
                    fcntl.flock(users, fcntl.LOCK_EX)
            # Before the servers stop, so that a command that starts meanwhile is not sent to one that is closing.
            folders.remove_state(self._settings.data_dir)
            if self.valkey is not None:
                self.valkey.stop(timeout)
            if self.postgres is not None:
                self.postgres.stop(timeout)
        finally:
            os.close(users)
            self.unlock()

    def unlock(self) -> None:
        """Unlock the folder."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


@contextmanager
def servers_for_command(settings: Settings) -> Iterator[Servers]:
    """The servers a command works on.

    Those in DATABASE_URL and REDIS_URL; or else those of the running portal; or else its own, stopped at the end.

    Raises:
        CannotStartError: with a sentence that says what to do.
    """
    if settings.database_url and settings.redis_url:
        yield _servers(settings, None)
        return
    folders.prepare(settings.data_dir, ServerUser.for_current_process())
    own = Ownership(settings, COMMAND)
    deadline = time.monotonic() + WAIT_TIMEOUT
    while not own.try_lock():
        # Counted before it reads the state file: the owner could otherwise stop the servers between the two.
        with _counted_as_user(settings.data_dir):
            running = ServersState.on(settings.data_dir)
            if running is not None and _can_serve(settings, running):
                yield _servers(settings, running)
                return
        if time.monotonic() > deadline:
            message = (
                f"Wait for the other start on {settings.data_dir} to finish, then try again: its database does not answer yet."
            )
            raise CannotStartError(message)
        time.sleep(0.1)
    try:
        yield own.start()
    finally:
        own.stop(after_others=True)


def start_for_portal(settings: Settings) -> tuple[Ownership, Servers]:
    """Lock the data folder for the whole portal and start its servers. Waits for a command that owns them.

    Raises:
        CannotStartError: when the portal already runs on this folder, or with another sentence that says what to do.
    """
    own = Ownership(settings, PORTAL)
    if settings.database_url and settings.redis_url:
        return own, _servers(settings, None)
    folders.prepare(settings.data_dir, ServerUser.for_current_process())
    deadline = time.monotonic() + WAIT_TIMEOUT
    while not own.try_lock():
        running = ServersState.on(settings.data_dir)
        if running is not None and running.starter == PORTAL:
            message = (
                f"Use the portal that already runs on {settings.data_dir} (process {running.starter_pid}), stop it first, "
                "or set PORTAL_DATA_DIR and PORTAL_PORT to start a second one."
            )
            raise CannotStartError(message)
        if time.monotonic() > deadline:
            message = f"Wait for the command that uses {settings.data_dir} to finish, then start again."
            raise CannotStartError(message)
        time.sleep(0.1)
    try:
        return own, own.start()
    except BaseException:
        own.stop(after_others=False)
        raise


@contextmanager
def _counted_as_user(data_dir: Path) -> Iterator[None]:
    """Count this process as a user while the block runs, so that the owner of the servers waits."""
    users = os.open(data_dir / "users", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        yield
    finally:
        os.close(users)


def _can_serve(settings: Settings, running: ServersState) -> bool:
    """Do the servers in the state file answer, and are they the ones this command needs?

    A killed owner leaves its state file behind, so the file alone proves nothing.
    """
    if (not settings.database_url and not running.app_url) or (not settings.redis_url and not running.redis_url):
        message = (
            f"Set DATABASE_URL and REDIS_URL as they are for the portal running on {settings.data_dir}: "
            "it does not use the embedded servers."
        )
        raise CannotStartError(message)
    if not settings.redis_url:
        address = urlsplit(running.redis_url)
        if not answers(address.port or 0, address.password or ""):
            return False
    if settings.database_url:
        return True
    try:
        psycopg.connect(running.app_url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _servers(settings: Settings, running: ServersState | None) -> Servers:
    state = running or ServersState("", "", "", "", 0, 0, "")
    return Servers(
        owner_url=settings.migration_url or state.owner_url,
        app_url=settings.database_url or state.app_url,
        redis_url=settings.redis_url or state.redis_url,
        data_dir=settings.data_dir,
    )
