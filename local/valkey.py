"""The embedded Valkey: starting and stopping it. It holds only ids of jobs, and may lose them at any time."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING

from local import binaries, child_processes, folders
from local.child_processes import CannotStartError, ServerUser

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY_TIMEOUT = 20.0
ATTEMPTS = 3


class EmbeddedValkey:
    """One Valkey server on one data folder."""

    def __init__(self, data_dir: Path, *, environ: Mapping[str, str] | None = None) -> None:
        """Note where it will run; `start` starts it."""
        self.data_dir = data_dir
        self.child: child_processes.Child | None = None
        self._environ = dict(os.environ if environ is None else environ)
        self._port = 0
        self._password = ""

    def start(self, left_running: int = 0) -> None:
        """Start the server. `left_running` is the process id in the state file of a dead starter; that server is stopped first.

        Unlike PostgreSQL, Valkey leaves no lock file: a second one would append to the same file and spoil it.

        Raises:
            CannotStartError: with a sentence that says what to do.
        """
        user = ServerUser.for_current_process()
        folders.prepare(self.data_dir, user)
        program = binaries.valkey_program(user, self.data_dir / "valkeybin")
        data_folder = self.data_dir / "valkey"
        data_folder.mkdir(exist_ok=True, mode=0o700)
        user.give_to(data_folder)
        exists = (self.data_dir / "postgres").is_dir()
        self._password = folders.Passwords.load_or_create(self.data_dir, cluster_exists=exists).valkey
        if left_running:
            child_processes.stop_orphan(left_running, program.name, signal.SIGTERM)
        for _attempt in range(ATTEMPTS):
            if self._start_once(program, data_folder, user):
                return
        tail = self.child.log_tail(4) if self.child is not None else ""
        message = f"The queue server did not start; {self.data_dir / 'valkey.log'} says why. It ends:\n{tail}"
        raise CannotStartError(message)

    def stop(self, timeout: float = child_processes.STOP_TIMEOUT) -> None:
        """Ask it to save and stop."""
        if self.child is not None:
            self.child.stop(timeout)
            self.child = None

    @property
    def url(self) -> str:
        """The server's address, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def _start_once(self, program: Path, data_folder: Path, user: ServerUser) -> bool:
        """Start it on a free port. False when it ended, or took too long, before it answered.

        Its configuration goes to standard input, because a password on the command line would be in the process list.
        """
        self._port = child_processes.free_port()
        lines = (
            f"port {self._port}",
            "bind 127.0.0.1",
            f"requirepass {self._password}",
            f'dir "{data_folder}"',
            "appendonly yes",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
        )
        log = self.data_dir / "valkey.log"
        log.write_bytes(b"")
        self.child = child_processes.start(
            "The queue server",
            [str(program), "-"],
            environ={"PATH": self._environ.get("PATH", ""), "TZ": "UTC"},
            log=log,
            user=user,
            stdin="\n".join(lines).encode() + b"\n",
            cwd=str(data_folder),
        )
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline and self.child.is_alive():
            if answers(self._port, self._password):
                return True
            time.sleep(0.02)
        self.child.kill()
        return False


def answers(port: int, password: str) -> bool:
    """Does a server answer PING here, with this password? Importing the client library would add 0.15 s to every start."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            received = b""
            # One line for each of the two commands.
            while received.count(b"\r\n") < 2:
                chunk = connection.recv(256)
                if not chunk:
                    return False
                received += chunk
    except OSError:
        return False
    return received.endswith(b"+PONG\r\n")
