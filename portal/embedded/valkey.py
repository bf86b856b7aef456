"""The embedded Valkey: its start and its stop. It holds only which jobs are on their way and may be lost at any time."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING

from portal.embedded import binaries, children, folder
from portal.embedded.children import CannotStartError, ServerUser

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONGEST_START = 20.0
TRIES = 3


class EmbeddedValkey:
    """One Valkey server of ours on one data folder."""

    def __init__(self, data_dir: Path, *, environ: Mapping[str, str] | None = None) -> None:
        """Say where; nothing happens before `start`."""
        self.data_dir = data_dir
        self.child: children.Child | None = None
        self._environ = dict(os.environ if environ is None else environ)
        self._port = 0
        self._password = ""

    def start(self, left_running: int = 0) -> None:
        """Start the server. `left_running` is the process number a dead starter noted; that server is ended first.

        Raises:
            CannotStartError: with a sentence that says what to do.
        """
        user = ServerUser.chosen()
        folder.prepare(self.data_dir, user)
        program = binaries.valkey_program(user, self.data_dir / "valkeybin")
        kept = self.data_dir / "valkey"
        kept.mkdir(exist_ok=True, mode=0o700)
        user.own(kept)
        exists = (self.data_dir / "postgres").is_dir()
        self._password = folder.Passwords.kept_in(self.data_dir, cluster_exists=exists).valkey
        if left_running:
            children.end_orphan(left_running, program.name, signal.SIGTERM)
        for _attempt in range(TRIES):
            if self._came_up(program, kept, user):
                return
        words = self.child.last_words(4) if self.child is not None else ""
        message = f"The queue server did not start; {self.data_dir / 'valkey.log'} says why. It ends:\n{words}"
        raise CannotStartError(message)

    def stop(self, patience: float = children.PATIENCE) -> None:
        """Ask it to write down what it holds and stop."""
        if self.child is not None:
            self.child.stop(patience)
            self.child = None

    @property
    def url(self) -> str:
        """The server's address, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def _came_up(self, program: Path, kept: Path, user: ServerUser) -> bool:
        """Start it, its configuration on standard input so that the password is in no process list."""
        self._port = children.free_port()
        lines = (
            f"port {self._port}",
            "bind 127.0.0.1",
            f"requirepass {self._password}",
            f'dir "{kept}"',
            "appendonly yes",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
        )
        log = self.data_dir / "valkey.log"
        log.write_bytes(b"")
        self.child = children.start(
            "The queue server",
            [str(program), "-"],
            environ={"PATH": self._environ.get("PATH", ""), "TZ": "UTC"},
            log=log,
            user=user,
            stdin="\n".join(lines).encode() + b"\n",
            cwd=str(kept),
        )
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until and self.child.is_alive():
            if answers(self._port, self._password):
                return True
            time.sleep(0.02)
        self.child.kill()
        return False


def answers(port: int, password: str) -> bool:
    """Does a server answer PING here, with this password? Without the client library, which costs a start 0.15 s."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            heard = b""
            while heard.count(b"\r\n") < 2:  # noqa: PLR2004  one line for each of the two commands
                more = line.recv(256)
                if not more:
                    return False
                heard += more
    except OSError:
        return False
    return heard.endswith(b"+PONG\r\n")
