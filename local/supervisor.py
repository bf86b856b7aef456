"""The supervisor: starts every process of the portal, and stops them all when one of them ends."""

from __future__ import annotations

import http.client
import importlib
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from config.revision import NEEDED, REPOSITORY
from config.settings import REAL_AUTHORITY, Settings, SettingsError
from local import child_processes
from local.child_processes import CannotStartError, Child
from local.locks import Ownership, Servers, start_for_portal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType

#: How long the web server may take to answer for the first time, in seconds.
READY_TIMEOUT = 60.0

_PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True)
class ChildCommands:
    """The command lines of the child processes."""

    web: Sequence[str] = (*_PYTHON, "gunicorn", "--config", str(REPOSITORY / "config" / "gunicorn.py"), "portal.app:create_app()")
    worker: Sequence[str] = (*_PYTHON, "workers.run")
    demonstration: Sequence[str] = (*_PYTHON, "portal", "demo", "--if-empty")
    demonstration_again: Sequence[str] = (*_PYTHON, "portal", "demo", "--reset")
    load_published_figures: Sequence[str] = (*_PYTHON, "portal", "migrate")
    migrations: str = "migrations"


#: What the marker file says while the demonstration is being made, and once it is complete.
BEING_MADE, COMPLETE = "making", "made"


class StoppedError(Exception):
    """A signal asked the supervisor to stop."""


@dataclass
class Supervisor:
    """The running child processes, in the order they were started, and how many stop signals have arrived."""

    started_at: float = field(default_factory=time.monotonic)
    own: Ownership | None = None
    plan: ChildCommands = field(default_factory=ChildCommands)
    started: list[Child] = field(default_factory=list)
    stop_requests: int = 0

    def on_signal(self, _signal: int, _frame: FrameType | None) -> None:
        """Count a request to stop; the second one kills the children at once.

        It waits for nothing, because a handler interrupts the supervisor, which may itself be waiting for the same child.
        """
        self.stop_requests += 1
        if self.stop_requests > 1:
            for child in self.children():
                child.kill_now()

    def children(self) -> list[Child]:
        """Every child, servers first."""
        return [*(self.own.children() if self.own else ()), *self.started]

    def first_exited(self) -> Child | None:
        """The first child that has ended by itself, if any."""
        return next((child for child in self.children() if not child.is_alive()), None)

    def check(self) -> None:
        """Raise when the supervisor must stop.

        Raises:
            StoppedError: when a signal asked for it.
            CannotStartError: naming the child that ended by itself.
        """
        if self.stop_requests:
            raise StoppedError
        child = self.first_exited()
        if child is not None:
            message = (
                f"{child.name} stopped by itself (status {child.status()}), so everything was stopped. "
                f"Its log, {child.log}, ends:\n{child.log_tail()}"
            )
            raise CannotStartError(message)

    def stop(self) -> None:
        """Stop the children one by one, the last started first.

        In any other order a worker would lose its database in the middle of a job, and log errors at every stop.
        """
        for child in reversed(self.started):
            child.stop()
        if self.own is not None:
            self.own.stop(after_others=False)


def main(settings: Settings, plan: ChildCommands | None = None) -> int:
    """Start everything, and watch it until a signal arrives. The exit status is 0 then, and 1 when a part ended by itself."""
    supervisor = Supervisor(plan=plan or ChildCommands())
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, supervisor.on_signal)
    try:
        _start_all(supervisor, settings)
        _write_out(
            f"The portal is ready at {settings.address} ({time.monotonic() - supervisor.started_at:.1f} s). "
            f"Data: {settings.data_dir}. Stop it with Ctrl-C."
        )
        while True:
            supervisor.check()
            time.sleep(0.1)
    except StoppedError:
        return 0
    except CannotStartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        supervisor.stop()


def _write_out(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _write_progress(line: str) -> None:
    """Write a line of progress to standard error. For the slow steps only."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _start_all(supervisor: Supervisor, settings: Settings) -> None:
    _refuse_taken_port(settings)
    supervisor.own, servers = start_for_portal(settings)
    supervisor.check()
    upgraded = _migrate(supervisor, servers)
    environ = child_environ(settings, servers)
    if upgraded:
        _run_step(supervisor, "The loading of the published figures", supervisor.plan.load_published_figures, _own_environ())
    # Removing a half-made demonstration needs the owner's rights.
    _demonstrate(supervisor, settings, {**environ, "DATABASE_OWNER_URL": servers.owner_url}, servers.owner_url)
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    supervisor.started.append(_start_child("The web server", supervisor.plan.web, environ, logs / "web.log"))
    _wait_until_ready(supervisor, settings)
    # Workers start last, so that on two cores they do not slow the first page down. Jobs sent meanwhile wait in the outbox.
    for number in range(1, settings.job_workers + 1):
        supervisor.started.append(_start_child(f"Worker {number}", supervisor.plan.worker, environ, logs / f"worker-{number}.log"))


def _start_child(name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> Child:
    return child_processes.start(name, command, environ=environ, log=child_processes.rotated(log), cwd=str(REPOSITORY))


def _own_environ() -> dict[str, str]:
    """This process's environment without PORTAL_CLOCK, which is for one command: the portal runs by the real clock."""
    return {name: value for name, value in os.environ.items() if name != "PORTAL_CLOCK"}


def child_environ(settings: Settings, servers: Servers) -> dict[str, str]:
    """The environment of the web server and the workers: the restricted role's address, never the owner's."""
    inherited = {
        name: value for name, value in _own_environ().items() if name != "DATABASE_OWNER_URL" and not name.startswith("PG")
    }
    return {
        **inherited,
        "DATABASE_URL": servers.app_url,
        "REDIS_URL": servers.redis_url,
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_DEMO": "1" if settings.demo else "0",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
    }


def _refuse_taken_port(settings: Settings) -> None:
    for host, port, name in (
        (settings.host, settings.port, "PORTAL_PORT"),
        (settings.metrics_host, settings.metrics_port, "PORTAL_METRICS_PORT"),
    ):
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
                # As gunicorn does: without it a port closed a moment ago would count as taken.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            message = f"Set {name} to a free port, or stop what uses it: {port} on {host} cannot be used ({why})."
            raise CannotStartError(message) from error


def _migrate(supervisor: Supervisor, servers: Servers) -> bool:
    """Bring the database to this version if it is behind. Returns whether it was."""
    if _revision(servers.owner_url) == NEEDED:
        return False
    _write_progress("Bringing the database to this version …")
    # Imported only when needed: the import takes a third of a second.
    importlib.import_module(supervisor.plan.migrations).upgrade(servers.owner_url)
    return True


def _revision(owner_url: str) -> str | None:
    try:
        with psycopg.connect(owner_url, connect_timeout=5) as connection:
            table = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if table and table[0] else None
    except psycopg.OperationalError as error:
        message = f"Check DATABASE_URL and DATABASE_OWNER_URL: the database does not let us in ({' '.join(str(error).split())})."
        raise CannotStartError(message) from error
    return str(row[0]) if row else None


def _refuse_real_authority(owner_url: str) -> None:
    # The platform's own row, whose id is the number 1, is of no authority.
    question = "SELECT 1 FROM authority WHERE NOT demonstration AND id <> '00000000-0000-0000-0000-000000000001'"
    with psycopg.connect(owner_url, connect_timeout=5) as connection:
        if connection.execute(question).fetchone():
            raise CannotStartError(REAL_AUTHORITY)


def _demonstrate(supervisor: Supervisor, settings: Settings, environ: Mapping[str, str], owner_url: str) -> None:
    """Make the demonstration authority once, in an empty database; start over when an earlier attempt was cut short."""
    if not settings.demo:
        return
    _refuse_real_authority(owner_url)
    marker = settings.data_dir / "postgres" / "demonstration" if not settings.database_url else None
    # The database alone does not tell: an authority that is there may be half made, its maker killed between two commits.
    marker_text = marker.read_text() if marker is not None and marker.is_file() else ""
    if marker_text == COMPLETE:
        return
    if marker is not None:
        marker.write_text(BEING_MADE)
    _write_progress("Making the demonstration authority; this happens once …")
    command = supervisor.plan.demonstration_again if marker_text == BEING_MADE else supervisor.plan.demonstration
    if _run_step(supervisor, "The making of the demonstration", command, environ):
        message = "The demonstration could not be made; the lines above say why. Start without it with PORTAL_DEMO=0."
        raise CannotStartError(message)
    if marker is not None:
        marker.write_text(COMPLETE)


def _run_step(supervisor: Supervisor, name: str, command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one step to its end, with its progress on the terminal, and return its exit status.

    A stop signal ends it early.
    """
    child = child_processes.start(name, command, environ=environ, log=None, cwd=str(REPOSITORY))
    try:
        while child.is_alive():
            supervisor.check()
            time.sleep(0.05)
    finally:
        child.stop()
    return child.status() or 0


def _wait_until_ready(supervisor: Supervisor, settings: Settings) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    answer = "nothing"
    while time.monotonic() < deadline:
        supervisor.check()
        status, answer = _readiness(settings)
        if status == http.client.OK:
            return
        time.sleep(0.03)
    message = f"The portal did not become ready within {READY_TIMEOUT:.0f} s. It last said: {answer}"
    raise CannotStartError(message)


def _readiness(settings: Settings) -> tuple[int, str]:
    """The status of /readyz and its body; status 0 when it does not answer."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104  compared, not listened on
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status, json.dumps(json.loads(response.read()))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, f"nothing ({type(error).__name__})"
    finally:
        connection.close()


if __name__ == "__main__":
    try:
        sys.exit(main(Settings.from_environment(os.environ)))
    except SettingsError as refused:
        sys.exit(str(refused))
