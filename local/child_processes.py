"""Child processes: servers and workers that cannot outlive the portal that started them.

A child that did would keep the port and the data folder, and the next start would find a database it cannot open. So each
child has a session of its own, which is killed as a whole, and on Linux the kernel ends it when its parent dies.
"""

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

#: How many seconds a child has to stop after the signal, before it is killed.
STOP_TIMEOUT = 15.0

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStartError(RuntimeError):
    """The portal cannot start; the message is a sentence that says what to do."""


@dataclass(frozen=True)
class ServerUser:
    """The user the servers run as: the current one, or `nobody` for root, which PostgreSQL refuses."""

    name: str
    uid: int
    gid: int
    switched: bool

    @classmethod
    def for_current_process(cls) -> ServerUser:
        """Choose it by the user this process runs as."""
        if os.geteuid() != 0:
            return cls(str(os.geteuid()), os.geteuid(), os.getegid(), switched=False)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError as error:
            message = "Run ./run as an ordinary user: this system has no user “nobody” to run the database as."
            raise CannotStartError(message) from error
        return cls("nobody", nobody.pw_uid, nobody.pw_gid, switched=True)

    def give_to(self, path: Path) -> None:
        """Give `path` to the server's user."""
        if self.switched:
            os.chown(path, self.uid, self.gid)

    def can_reach(self, path: Path) -> bool:
        """Can the server's user pass through every folder above `path` and read it?"""
        if not self.switched:
            return os.access(path, os.R_OK)
        return all(self._can_pass(folder) for folder in path.resolve().parents) and self._can_read(path)

    def _can_pass(self, folder: Path) -> bool:
        status = folder.stat()
        return bool(status.st_mode & (0o100 if status.st_uid == self.uid else 0o001))

    def _can_read(self, path: Path) -> bool:
        status = path.stat()
        return bool(status.st_mode & (0o400 if status.st_uid == self.uid else 0o004))


def run_as(user: ServerUser, command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one short program as the server's user, and return its output and errors as text."""
    uid, gid, groups = _identity(user)
    return subprocess.run(
        [*command],
        env=dict(environ),
        cwd="/",
        text=True,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        user=uid,
        group=gid,
        extra_groups=groups,
    )


def _identity(user: ServerUser | None) -> tuple[int | None, int | None, list[int] | None]:
    """The user, group and further groups to start a program with. None leaves each as it is."""
    if user is None or not user.switched:
        return None, None, None
    return user.uid, user.gid, []


class Child:
    """One running server or worker."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], stop_signal: signal.Signals, log: Path) -> None:
        """Take charge of a started program; `name` is its name in messages."""
        self.name = name
        self.pid = process.pid
        self._process = process
        self._stop_signal = stop_signal
        self.log = log

    def is_alive(self) -> bool:
        """Is it still running?"""
        return self._process.poll() is None

    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.poll()

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        """Ask it to stop, wait for `timeout` seconds, and then kill what is left of its session."""
        if self.is_alive():
            self._process.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """Kill its whole session at once, and wait for it to end."""
        self.kill_now()
        self._process.wait()

    def kill_now(self) -> None:
        """Kill its session without waiting, as a signal handler must."""
        # A worker's forks make groups of their own, so the group is not all of the session.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in _pids_in_session(self.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def log_tail(self, lines: int = 12) -> str:
        """The end of its log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def start(  # noqa: PLR0913  each argument is one independent choice, and most calls leave them out
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
    """Start a child that cannot outlive this process.

    It has a session of its own, so that Ctrl-C reaches this process only, which then stops its children in order. On
    Linux the kernel sends `death_signal` (or `stop_signal`) when this process dies, even by kill -9. Output goes to
    `log`; without one, errors go to the terminal. `stdin` is all the child can read.
    """
    uid, gid, groups = _identity(user)
    with Path(log or os.devnull).open("ab") as output, warnings.catch_warnings():
        # From Python 3.12 a fork beside threads warns of locks held for ever. This one calls one C function, then execs.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = subprocess.Popen(
            [*command],
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=True,
            preexec_fn=_tie_to_parent(os.getpid(), death_signal or stop_signal),  # noqa: PLW1509  one C call and no lock
            user=uid,
            group=gid,
            extra_groups=groups,
        )
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(stdin)
        process.stdin.close()
    return Child(name, process, stop_signal, log or Path(os.devnull))


def _tie_to_parent(parent: int, sign: signal.Signals) -> Callable[[], None] | None:
    """What the child runs before its program: ask the kernel to send it `sign` when `parent` ends."""
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl

    def request_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)
        # The parent may have died between the fork and the request: then the signal would never come.
        if os.getppid() != parent:
            os._exit(1)

    return request_death_signal


def _pids_in_session(leader: int) -> list[int]:
    """The processes of a session, in any process group. Linux only: elsewhere none are found."""
    pids = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # pid (name) state ppid pgrp session …: the name may hold anything, so count from its last bracket.
            if int(stat.read_text().rsplit(")", 1)[1].split()[3]) == leader:
                pids.append(int(stat.parent.name))
    return pids


def stop_orphan(pid: int, program: str, sign: signal.Signals, timeout: float = STOP_TIMEOUT) -> None:
    """Stop a server whose starter has died. Does nothing when `pid` is another program.

    Two servers on one data folder would ruin it, so the next start cannot go on beside an orphan. Nor can it take the
    orphan over: a process can only wait for its own children, so nobody would notice that server's end. On Linux the
    kernel has already sent the signal, and this only waits for the shutdown; elsewhere nothing has told it to stop.

    Raises:
        CannotStartError: when it does not stop in time.
    """
    deadline = time.monotonic() + timeout
    while is_running(pid, program):
        if time.monotonic() > deadline:
            message = f"Stop process {pid} ({program}), which was left running on this data folder, then start again."
            raise CannotStartError(message)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, sign)
        time.sleep(0.05)


def is_running(pid: int, program: str) -> bool:
    """Is `pid` alive, and still this program? The system may have given the number to another program since."""
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


def rotated(log: Path, max_bytes: int = 10_000_000) -> Path:
    """The log file to append to. One larger than `max_bytes` is renamed to .old first, over the .old before it."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > max_bytes:
            log.replace(log.with_suffix(".old"))
    return log


def free_port() -> int:
    """A port of this machine that nothing listens on at this moment. Another program may take it before it is used."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
