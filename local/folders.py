"""The data folder: its permissions, its passwords, and the state file that lists the running servers."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from local.child_processes import CannotStartError

if TYPE_CHECKING:
    from pathlib import Path

    from local.child_processes import ServerUser

#: With fewer bytes free than this, PostgreSQL would soon stop in the middle of a write.
LEAST_FREE = 200_000_000

#: The permissions a folder must give everyone, so that the server's user can list it and pass through.
PASSABLE = 0o005


def prepare(data_dir: Path, user: ServerUser, least_free: int = LEAST_FREE) -> None:
    """Make the data folder, and check that the servers can use it.

    Raises:
        CannotStartError: when it cannot be written, the server's user cannot reach it, or the disk is nearly full.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o755 if user.switched else 0o700)
        probe = data_dir / f"probe.{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        message = f"Set PORTAL_DATA_DIR to a folder you can write to: {data_dir} cannot be used ({error.strerror})."
        raise CannotStartError(message) from error
    if user.switched:
        _refuse_closed_tree(data_dir, user)
    disk = os.statvfs(data_dir)
    free = disk.f_bavail * disk.f_frsize
    if free < least_free:
        message = f"Free some space, or set PORTAL_DATA_DIR to another disk: {data_dir} has {free // 1_000_000} MB left."
        raise CannotStartError(message)


def _refuse_closed_tree(data_dir: Path, user: ServerUser) -> None:
    if data_dir.stat().st_mode & PASSABLE != PASSABLE:
        data_dir.chmod(data_dir.stat().st_mode | 0o055)
    if not user.can_reach(data_dir):
        message = (
            f"Set PORTAL_DATA_DIR to a folder others can pass through, such as /var/lib/portal-dev: as root the database "
            f"runs as the user “{user.name}”, who cannot reach {data_dir}."
        )
        raise CannotStartError(message)


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    # Made with its mode, written beside and renamed: a file that is made first and closed to others afterwards can be
    # opened in between, and one cut short would leave a database without its passwords.
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@dataclass(frozen=True)
class Passwords:
    """The passwords of the embedded servers, made once for each data folder."""

    postgres: str
    portal_owner: str
    portal_app: str
    valkey: str

    @classmethod
    def load_or_create(cls, data_dir: Path, *, cluster_exists: bool) -> Passwords:
        """Read them, or make them for a new database.

        Raises:
            CannotStartError: when there is a database and no passwords for it.
        """
        path = data_dir / "passwords.json"
        if path.is_file():
            return cls(**json.loads(path.read_text()))
        if cluster_exists:
            message = (
                f"Put {path} back from a backup, or remove {data_dir} to start afresh: "
                "the database is there, its passwords are not."
            )
            raise CannotStartError(message)
        passwords = cls(*(secrets.token_urlsafe(24) for _ in range(4)))
        write_private(path, json.dumps(asdict(passwords)))
        return passwords


@dataclass(frozen=True)
class ServersState:
    """The state file: the servers running on a data folder. A URL is empty for a server the portal did not start."""

    superuser_url: str
    owner_url: str
    app_url: str
    redis_url: str
    valkey_pid: int
    starter_pid: int
    starter: str

    @classmethod
    def on(cls, data_dir: Path) -> ServersState | None:
        """Read the state file; None when there is none, or it cannot be understood."""
        try:
            return cls(**json.loads((data_dir / "servers.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, data_dir: Path) -> None:
        """Write the state file."""
        write_private(data_dir / "servers.json", json.dumps(asdict(self)))


def remove_state(data_dir: Path) -> None:
    """Remove the state file: nothing runs on this folder any more."""
    (data_dir / "servers.json").unlink(missing_ok=True)
