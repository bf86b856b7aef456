"""The whole portal as one tree of processes, from the database to the workers: up together, down together."""

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
from config.settings import Settings, SettingsError
from portal.embedded import children
from portal.embedded.children import CannotStartError, Child
from portal.embedded.running import Ownership, Servers, owned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType

#: How long the web server may take to answer for the first time, in seconds.
LONGEST_START = 60.0

_PYTHON = (sys.executable, "-P", "-m")


@dataclass(frozen=True)
class Plan:
    """The command lines of the tree."""

    web: Sequence[str] = (*_PYTHON, "gunicorn", "--config", str(REPOSITORY / "config" / "gunicorn.py"), "portal.app:create_app()")
    worker: Sequence[str] = (*_PYTHON, "workers.run")
    demonstration: Sequence[str] = (*_PYTHON, "portal", "demo", "--if-empty")
    demonstration_again: Sequence[str] = (*_PYTHON, "portal", "demo", "--reset")
    furnish: Sequence[str] = (*_PYTHON, "portal", "migrate")
    migrations: str = "migrations"


#: What the mark beside the demonstration says while it is being made, and once it is whole.
MAKING, MADE = "making", "made"


class StoppedError(Exception):
    """We were asked to stop while still starting."""


@dataclass
class Tree:
    """The supervisor's children, in the order they were started, and the wish to stop."""

    began: float = field(default_factory=time.monotonic)
    own: Ownership | None = None
    plan: Plan = field(default_factory=Plan)
    started: list[Child] = field(default_factory=list)
    wishes: int = 0

    def heard(self, _signal: int, _frame: FrameType | None) -> None:
        """Someone pressed Ctrl-C or asked us to end; twice means at once."""
        self.wishes += 1
        if self.wishes > 1:
            for child in self.children():
                child.strike()

    def children(self) -> list[Child]:
        """Every child, servers first."""
        return [*(self.own.children() if self.own else ()), *self.started]

    def fallen(self) -> Child | None:
        """The first child that has ended without being asked."""
        return next((child for child in self.children() if not child.is_alive()), None)

    def check(self) -> None:
        """Raise when there is a reason not to go on.

        Raises:
            StoppedError: when we were asked to stop.
            CannotStartError: naming the child that ended by itself.
        """
        if self.wishes:
            raise StoppedError
        child = self.fallen()
        if child is not None:
            message = (
                f"{child.name} stopped by itself (status {child.status()}), so everything was stopped. "
                f"Its log, {child.log}, ends:\n{child.last_words()}"
            )
            raise CannotStartError(message)

    def stop(self) -> None:
        """Stop one after another, the last started first: workers, web, queue, database."""
        for child in reversed(self.started):
            child.stop()
        if self.own is not None:
            self.own.stop(after_others=False)


def main(settings: Settings, plan: Plan | None = None) -> int:
    """Start everything, say where it is, and keep it up until told to stop. The exit status: 0 when told, 1 otherwise."""
    tree = Tree(plan=plan or Plan())
    for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wish, tree.heard)
    try:
        _start(tree, settings)
        _say(
            f"The portal is ready at {settings.address} ({time.monotonic() - tree.began:.1f} s). "
            f"Data: {settings.data_dir}. Stop it with Ctrl-C."
        )
        while True:
            tree.check()
            time.sleep(0.1)
    except StoppedError:
        return 0
    except CannotStartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        tree.stop()


def _say(line: str) -> None:
    with suppress(BrokenPipeError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _tell(line: str) -> None:
    """Progress, for the slow steps only."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _start(tree: Tree, settings: Settings) -> None:
    _refuse_taken_port(settings)
    tree.own, servers = owned(settings)
    tree.check()
    upgraded = _migrate(tree, servers)
    environ = child_environ(settings, servers)
    if upgraded:
        _run_to_its_end(tree, "The loading of the published figures", tree.plan.furnish, dict(os.environ))
    # Taking a half-made demonstration away again is the owner's work.
    _demonstrate(tree, settings, {**environ, "DATABASE_OWNER_URL": servers.owner_url})
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    tree.started.append(_child("The web server", tree.plan.web, environ, logs / "web.log"))
    _wait_until_ready(tree, settings)
    # Afterwards, so that on two cores they do not slow the first page down: what is sent meanwhile waits in the outbox.
    for number in range(1, settings.job_workers + 1):
        tree.started.append(_child(f"Worker {number}", tree.plan.worker, environ, logs / f"worker-{number}.log"))


def _child(name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> Child:
    return children.start(name, command, environ=environ, log=children.fresh(log), cwd=str(REPOSITORY))


def child_environ(settings: Settings, servers: Servers) -> dict[str, str]:
    """What the web server and the workers are told: the restricted role's address, never the owner's."""
    kept = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL" and not name.startswith("PG")}
    return {
        **kept,
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
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind((host, port))
        except OSError as error:
            why = os.strerror(error.errno or 0).lower()
            message = f"Set {name} to a free port, or stop what uses it: {port} on {host} cannot be used ({why})."
            raise CannotStartError(message) from error


def _migrate(tree: Tree, servers: Servers) -> bool:
    """Bring the database to this version; one quick question tells whether that is needed. Says whether it was."""
    if _revision(servers.owner_url) == NEEDED:
        return False
    _tell("Bringing the database to this version …")
    # Imported only here: it costs every other start a third of a second.
    importlib.import_module(tree.plan.migrations).upgrade(servers.owner_url)
    return True


def _revision(owner_url: str) -> str | None:
    try:
        with psycopg.connect(owner_url, connect_timeout=5) as connection:
            there = connection.execute("SELECT to_regclass('public.alembic_version')").fetchone()
            found = connection.execute("SELECT version_num FROM alembic_version").fetchone() if there and there[0] else None
    except psycopg.OperationalError as error:
        message = f"Check DATABASE_URL and DATABASE_OWNER_URL: the database does not let us in ({' '.join(str(error).split())})."
        raise CannotStartError(message) from error
    return str(found[0]) if found else None


def _demonstrate(tree: Tree, settings: Settings, environ: Mapping[str, str]) -> None:
    """Make the demonstration authority in an empty database, once; start over when an earlier start was cut short."""
    if not settings.demo:
        return
    mark = settings.data_dir / "postgres" / "demonstration" if not settings.database_url else None
    said = mark.read_text() if mark is not None and mark.is_file() else ""
    if said == MADE:
        return
    if mark is not None:
        mark.write_text(MAKING)
    _tell("Making the demonstration authority; this happens once …")
    command = tree.plan.demonstration_again if said == MAKING else tree.plan.demonstration
    if _run_to_its_end(tree, "The making of the demonstration", command, environ):
        message = "The demonstration could not be made; the lines above say why. Start without it with PORTAL_DEMO=0."
        raise CannotStartError(message)
    if mark is not None:
        mark.write_text(MADE)


def _run_to_its_end(tree: Tree, name: str, command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one step to its end, its progress on the terminal, and give its exit status; it stops when we are asked to."""
    child = children.start(name, command, environ=environ, log=None, cwd=str(REPOSITORY))
    try:
        while child.is_alive():
            tree.check()
            time.sleep(0.05)
    finally:
        child.stop()
    return child.status() or 0


def _wait_until_ready(tree: Tree, settings: Settings) -> None:
    until = time.monotonic() + LONGEST_START
    said = "nothing"
    while time.monotonic() < until:
        tree.check()
        status, said = _asked(settings)
        if status == http.client.OK:
            return
        time.sleep(0.03)
    message = f"The portal did not become ready within {LONGEST_START:.0f} s. It last said: {said}"
    raise CannotStartError(message)


def _asked(settings: Settings) -> tuple[int, str]:
    """What /readyz answers: its status, or 0, and what it says."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104  compared, not listened on
    line = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        line.request("GET", "/readyz")
        answer = line.getresponse()
        return answer.status, json.dumps(json.loads(answer.read()))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, f"nothing ({type(error).__name__})"
    finally:
        line.close()


if __name__ == "__main__":
    try:
        sys.exit(main(Settings.from_environment(os.environ)))
    except SettingsError as refused:
        sys.exit(str(refused))
