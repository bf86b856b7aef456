"""The servers and workers we start: each in a session of its own, each dying with us, each stopped in good order."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: How long a child is given to stop when asked, in seconds, before it is killed.
PATIENCE = 15.0

_PR_SET_PDEATHSIG = 1
_C = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStartError(RuntimeError):
    """Something stands in the way of starting; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class ServerUser:
    """Whom the database servers run as: ourselves, or `nobody` when we are root, which PostgreSQL refuses to be."""

    name: str
    uid: int
    gid: int
    switched: bool

    @classmethod
    def chosen(cls) -> ServerUser:
        """Choose by who we are."""
        if os.geteuid() != 0:
            return cls(str(os.geteuid()), os.geteuid(), os.getegid(), switched=False)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError as error:
            message = "Run ./run as an ordinary user: this system has no user “nobody” to run the database as."
            raise CannotStartError(message) from error
        return cls("nobody", nobody.pw_uid, nobody.pw_gid, switched=True)

    def own(self, path: Path) -> None:
        """Give `path` to the server's user."""
        if self.switched:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """May the server's user pass through every folder above `path` and read it?"""
        if not self.switched:
            return os.access(path, os.R_OK)
        return all(self._passes(folder) for folder in path.resolve().parents) and self._reads(path)

    def _passes(self, folder: Path) -> bool:
        found = folder.stat()
        return bool(found.st_mode & (0o100 if found.st_uid == self.uid else 0o001))

    def _reads(self, path: Path) -> bool:
        found = path.stat()
        return bool(found.st_mode & (0o400 if found.st_uid == self.uid else 0o004))


def run_as(user: ServerUser, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one short program as the server's user and wait for it; output and errors come back as text."""
    who = {"user": user.uid, "group": user.gid, "extra_groups": []} if user.switched else {}
    return subprocess.run(  # type: ignore[call-overload,no-any-return]  # the three who-arguments come together or not at all
        [*command], env=dict(environ), cwd="/", text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, **who
    )


class Child:
    """One running server or worker."""

    def __init__(self, name: str, running: subprocess.Popen[bytes], stop_signal: signal.Signals, log: Path) -> None:
        """Take charge of a started program; `name` is what people are told it is."""
        self.name = name
        self.pid = running.pid
        self._running = running
        self._stop_signal = stop_signal
        self.log = log

    def is_alive(self) -> bool:
        """Is it still running?"""
        return self._running.poll() is None

    def status(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._running.poll()

    def stop(self, patience: float = PATIENCE) -> None:
        """Ask it to stop, wait, and kill it and whatever it left in its session when it does not."""
        if self.is_alive():
            self._running.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End it at once, with whatever it left in its session."""
        self.strike()
        self._running.wait()

    def strike(self) -> None:
        """Kill without waiting: all that a signal handler may do."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for left in _session_of(self.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(left, signal.SIGKILL)

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def start(  # noqa: PLR0913  one call says everything about a child
    name: str,
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    log: Path | None,
    user: ServerUser | None = None,
    stdin: bytes = b"",
    cwd: str = "/",
    stop_signal: signal.Signals = signal.SIGTERM,
    death_signal: signal.Signals | None = None,
) -> Child:
    """Start a child that cannot outlive us.

    Its session is its own, so that Ctrl-C reaches only us; on Linux the kernel sends `death_signal` (or
    `stop_signal`) when we die, however we die. Its output goes to `log`, or with none its errors to the terminal;
    `stdin` is all it can read.
    """
    who = {"user": user.uid, "group": user.gid, "extra_groups": []} if user and user.switched else {}
    with Path(log or os.devnull).open("ab") as written, warnings.catch_warnings():
        # From Python 3.12 a fork beside running threads warns; ours calls one C function and goes on to exec.
        warnings.simplefilter("ignore", DeprecationWarning)
        running = subprocess.Popen(  # type: ignore[call-overload]  # the three who-arguments come together or not at all
            [*command],
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid(), death_signal or stop_signal),  # noqa: PLW1509  one C call and no lock
            **who,
        )
    if stdin:
        with contextlib.suppress(BrokenPipeError):
            running.stdin.write(stdin)
        running.stdin.close()
    return Child(name, running, stop_signal, log or Path(os.devnull))


def _dying_with(parent: int, sign: signal.Signals) -> Callable[[], None] | None:
    """What the new child runs before its program: ask the kernel to send it `sign` when `parent` ends."""
    if _C is None:
        return None
    ask = _C.prctl

    def promise() -> None:
        ask(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return promise


def _session_of(leader: int) -> list[int]:
    """The processes of a session, also those that have made groups of their own, as a worker's forks do. Linux only."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # pid (name) state ppid pgrp session …: the name may hold anything, so count from its last bracket.
            if int(stat.read_text().rsplit(")", 1)[1].split()[3]) == leader:
                found.append(int(stat.parent.name))
    return found


def end_orphan(pid: int, program: str, sign: signal.Signals, patience: float = PATIENCE) -> None:
    """Wait for a server whose starter has died, asking it to stop. Does nothing when `pid` is not that program.

    Raises:
        CannotStartError: when it will not stop.
    """
    until = time.monotonic() + patience
    while is_running(pid, program):
        if time.monotonic() > until:
            message = f"Stop process {pid} ({program}), which was left running on this data folder, then start again."
            raise CannotStartError(message)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, sign)
        time.sleep(0.05)


def is_running(pid: int, program: str) -> bool:
    """Is `pid` alive, and is it this program rather than another that was given its number since?"""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return program in _command_of(pid)


def _command_of(pid: int) -> str:
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.parent.parent.joinpath("self").exists():
        with contextlib.suppress(OSError):
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    ps = shutil.which("ps") or "/bin/ps"
    return subprocess.run([ps, "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def fresh(log: Path, most: int = 10_000_000) -> Path:
    """A log to go on with: one that has grown past `most` bytes is put aside first, and one older is kept."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > most:
            log.replace(log.with_suffix(".old"))
    return log


def free_port() -> int:
    """A port of this machine that nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
