"""The settings, read from the environment once, checked and frozen.

Standard library only, because `./run --help` lists them before anything is installed.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from config import production

if TYPE_CHECKING:
    from collections.abc import Mapping

PRODUCTION = "production"
LAPTOP = "laptop"

#: A signing key shorter than this is no secret.
SHORTEST_KEY = 32
HIGHEST_PORT = 65_535
#: A megabyte as people and file managers count it.
BYTES_IN_MB = 1_000_000
REAL_AUTHORITY = (
    "Set PORTAL_DEMO to 0: this database holds an authority that is no demonstration, and the demonstration signs people in "
    "without a password."
)


class SettingsError(ValueError):
    """A setting with which the portal must not start; the message says what to do, in one sentence."""


def default_data_dir() -> Path:
    """The default folder of the embedded database: a system folder for root, or one in the home folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/portal-dev")
    return Path.home() / ".local" / "share" / "portal-dev"


def _help(name: str, says: str) -> dict[str, str]:
    """Metadata of a setting: its environment variable and its line in the help."""
    return {"name": name, "says": says}


@dataclass(frozen=True)
class Settings:
    """Every setting. Nothing else in the portal reads the environment."""

    environment: str = field(
        default=LAPTOP, metadata=_help("PORTAL_ENV", "“production” on servers: no embedded servers, no demonstration")
    )
    database_url: str = field(
        default="", repr=False, metadata=_help("DATABASE_URL", "PostgreSQL to use instead of the embedded one")
    )
    database_owner_url: str = field(
        default="", repr=False, metadata=_help("DATABASE_OWNER_URL", "the same database as the owner role, for migrations only")
    )
    database_pooler: bool = field(
        default=False,
        metadata=_help("PORTAL_DATABASE_POOLER", "1: DATABASE_URL leads to a pooler in transaction mode, such as PgBouncer"),
    )
    redis_url: str = field(
        default="", repr=False, metadata=_help("REDIS_URL", "Redis or Valkey to use instead of the embedded one")
    )
    data_dir: Path = field(
        default_factory=default_data_dir,
        metadata=_help("PORTAL_DATA_DIR", "folder of the embedded database, logs and generated keys"),
    )
    host: str = field(default="127.0.0.1", metadata=_help("PORTAL_HOST", "address the web server listens on"))
    port: int = field(default=8000, metadata=_help("PORTAL_PORT", "port the web server listens on"))
    public_url: str = field(default="", metadata=_help("PORTAL_PUBLIC_URL", "address people type, used in letters and e-mail"))
    demo: bool = field(
        default=True,
        metadata=_help("PORTAL_DEMO", "1 or 0: the demonstration authority (on with the embedded database only)"),
    )
    secret_key: str = field(
        default="",
        repr=False,
        metadata=_help("PORTAL_SECRET_KEY", f"signs cookies; {SHORTEST_KEY} characters or more (made and kept on a laptop)"),
    )
    old_secret_keys: str = field(
        default="",
        repr=False,
        metadata=_help("PORTAL_OLD_SECRET_KEYS", "earlier keys, with spaces between: they open second factors until `keys rotate`"),
    )
    proxies: int = field(
        default=0, metadata=_help("PORTAL_TRUSTED_PROXIES", "proxies in front, whose X-Forwarded headers are believed")
    )
    metrics_port: int = field(
        default=0, metadata=_help("PORTAL_METRICS_PORT", "private port for /metrics on PORTAL_METRICS_HOST, 0 for none")
    )
    metrics_host: str = field(
        default="127.0.0.1", metadata=_help("PORTAL_METRICS_HOST", "address the metrics port listens on, never a public one")
    )
    web_workers: int = field(default=2, metadata=_help("PORTAL_WEB_WORKERS", "web worker processes"))
    web_threads: int = field(default=8, metadata=_help("PORTAL_WEB_THREADS", "requests each web worker serves at once"))
    job_workers: int = field(default=1, metadata=_help("PORTAL_JOB_WORKERS", "job workers that `up` starts"))
    request_deadline: int = field(
        default=30, metadata=_help("PORTAL_REQUEST_DEADLINE", "seconds after which a web worker with a stuck request is replaced")
    )
    upload_limit_mb: int = field(default=50, metadata=_help("PORTAL_UPLOAD_LIMIT_MB", "largest file accepted, in megabytes"))
    local_hosts: str = field(
        default="",
        metadata=_help(
            "PORTAL_LOCAL_HOSTS", "names of this machine's own servers, as a container network has: no TLS is asked of them"
        ),
    )
    smtp_host: str = field(default="", metadata=_help("PORTAL_SMTP_HOST", "mail server; without one mail is kept, not sent"))
    smtp_port: int = field(default=587, metadata=_help("PORTAL_SMTP_PORT", "its port"))
    smtp_user: str = field(default="", metadata=_help("PORTAL_SMTP_USER", "its user name, if it wants one"))
    smtp_password: str = field(default="", repr=False, metadata=_help("PORTAL_SMTP_PASSWORD", "its password"))
    smtp_starttls: bool = field(default=True, metadata=_help("PORTAL_SMTP_STARTTLS", "1 or 0: encrypt the way to it"))
    mail_from: str = field(
        default="attendance@localhost", metadata=_help("PORTAL_MAIL_FROM", "sender's address on the portal's mail")
    )
    security_contact: str = field(
        default="",
        metadata=_help(
            "PORTAL_SECURITY_CONTACT", "where to report a weakness, an e-mail address or https page; the sender's otherwise"
        ),
    )
    clock_text: str = field(
        default="", metadata=_help("PORTAL_CLOCK", "sets the clock of one ./run portal command, on the embedded database only")
    )
    log_level: str = field(default="info", metadata=_help("PORTAL_LOG_LEVEL", "debug, info, warning or error; logs are JSON lines"))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check every setting, and make a signing key for a laptop that has none.

        Raises:
            SettingsError: when the portal must not start with these settings.
        """
        read: dict[str, object] = {}
        for setting in fields(cls):
            text = environ.get(setting.metadata["name"], "").strip()
            if text:
                read[setting.name] = _value(setting.metadata["name"], text, _kind(setting.default))
        # The demonstration signs people in without a password, so it must never come on by accident beside real records.
        read.setdefault("demo", not _looks_like_production(environ) and "database_url" not in read)
        settings = cls(**read)  # type: ignore[arg-type]  # each value was read as its field's own type
        _raise_first_reason(settings, environ)
        if settings.secret_key:
            return settings
        return cls(**{**read, "secret_key": _laptop_key(settings.data_dir)})  # type: ignore[arg-type]  # as above

    @property
    def production(self) -> bool:
        """Does this run on servers rather than a laptop?"""
        return self.environment == PRODUCTION

    @property
    def address(self) -> str:
        """The portal's address: the public one, or this machine's own."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104  compared, not listened on
        return f"http://{host}:{self.port}"

    @property
    def earlier_secret_keys(self) -> tuple[str, ...]:
        """The keys before the present one, which still open what was encrypted with them."""
        return tuple(self.old_secret_keys.split())

    @property
    def secure_cookies(self) -> bool:
        """Are cookies sent over HTTPS only?"""
        return self.address.startswith("https://")

    @property
    def upload_limit(self) -> int:
        """The largest file accepted, in bytes."""
        return self.upload_limit_mb * BYTES_IN_MB

    @property
    def clock(self) -> datetime | None:
        """The instant at which a command of the command line takes itself to run; None for the present."""
        return _instant(self.clock_text) if self.clock_text else None

    @property
    def migration_url(self) -> str:
        """The database's address as its owner, for migrations."""
        return self.database_owner_url or self.database_url


def _kind(default: object) -> type:
    return type(default) if isinstance(default, (bool, int, str)) else Path


def _value(name: str, text: str, kind: type) -> object:
    """The text of one setting as a value of its type."""
    if kind is bool:
        answers = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
        if text.lower() not in answers:
            message = f"Set {name} to 1 or 0, not “{text}”."
            raise SettingsError(message)
        return answers[text.lower()]
    if kind is int:
        if not text.isdecimal():
            message = f"Set {name} to a whole number, not “{text}”."
            raise SettingsError(message)
        return int(text)
    return Path(text).expanduser().absolute() if kind is Path else text


def _instant(text: str) -> datetime | None:
    """The instant of this text; None when it has no offset, or lies outside this century."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo is not None and 2000 <= instant.year < 2100 else None


def _looks_like_production(environ: Mapping[str, str]) -> bool:
    """Is there any setting that only a real installation has?"""
    return bool(
        environ.get("PORTAL_ENV") == PRODUCTION
        or environ.get("PORTAL_SMTP_HOST")
        or environ.get("PORTAL_PUBLIC_URL", "").startswith("https://")
    )


def _raise_first_reason(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raise the first reason why this installation must not start."""
    for applies, sentence in (
        *_reasons(settings, environ),
        *_clock_reasons(settings, environ),
        *_production_reasons(settings),
        *_value_reasons(settings),
    ):
        if applies:
            raise SettingsError(sentence)


def _reasons(settings: Settings, environ: Mapping[str, str]) -> tuple[tuple[bool, str], ...]:
    return (
        ("DASH_MCP_ENABLED" in environ, "Remove DASH_MCP_ENABLED: it would open the dashboards to tools without signing in."),
        (settings.environment not in {LAPTOP, PRODUCTION}, "Set PORTAL_ENV to “production”, or leave it out on a laptop."),
        (
            settings.demo and _looks_like_production(environ),
            (
                "Remove PORTAL_DEMO=1: the demonstration signs people in without a password, so it does not start beside "
                "PORTAL_ENV=production, PORTAL_SMTP_HOST or an https PORTAL_PUBLIC_URL."
            ),
        ),
        (
            settings.demo and not production.is_loopback(settings.host),
            (
                "Set PORTAL_HOST to 127.0.0.1, or PORTAL_DEMO to 0: the demonstration signs people in without a password, so no "
                "other machine may reach it."
            ),
        ),
    )


def _clock_reasons(settings: Settings, environ: Mapping[str, str]) -> tuple[tuple[bool, str], ...]:
    """Why the clock may not be set: a made-up day must never enter real records."""
    if not settings.clock_text:
        return ()
    return (
        (
            _looks_like_production(environ),
            "Remove PORTAL_CLOCK: no clock is set beside PORTAL_ENV=production, PORTAL_SMTP_HOST or an https PORTAL_PUBLIC_URL.",
        ),
        (
            bool(settings.migration_url),
            "Remove PORTAL_CLOCK: the clock is set on the embedded database only, not on that of DATABASE_URL.",
        ),
        (
            settings.clock is None,
            f"Set PORTAL_CLOCK to an instant with its offset, such as 2026-01-12T09:00:00+00:00, not “{settings.clock_text}”.",
        ),
    )


def _signs_in_as_app(database_url: str) -> bool:
    """Is the address's user the app's role? Some poolers and clouds want the server's name behind it: portal_app@server."""
    return re.fullmatch(r"portal_app(?:[.@].*)?", unquote(urlsplit(database_url).username or "")) is not None


def _production_reasons(settings: Settings) -> tuple[tuple[bool, str], ...]:
    if not settings.production:
        return ()
    key = settings.secret_key
    return (
        (not settings.database_url, "Set DATABASE_URL: in production the database is yours, not the embedded one."),
        (
            bool(settings.database_url) and not _signs_in_as_app(settings.database_url),
            "Set DATABASE_URL to an address that signs in as portal_app: an owner or a superuser is not bound by row security.",
        ),
        (not settings.redis_url, "Set REDIS_URL: in production the queue server is yours, not the embedded one."),
        (not key, f"Set PORTAL_SECRET_KEY to {SHORTEST_KEY} or more random characters, the same on every machine."),
        (
            len(set(key)) < SHORTEST_KEY // 4,
            "Set PORTAL_SECRET_KEY to a key of your own: this one is an example anyone can read.",
        ),
        (
            not settings.public_url.startswith("https://"),
            "Set PORTAL_PUBLIC_URL to the https address people use, so that sign-in cookies travel encrypted only.",
        ),
        *production.production_reasons(settings),
    )


def _value_reasons(settings: Settings) -> tuple[tuple[bool, str], ...]:
    counts = (
        settings.web_workers,
        settings.web_threads,
        settings.job_workers,
        settings.request_deadline,
        settings.upload_limit_mb,
    )
    ports = (settings.port, settings.smtp_port, settings.metrics_port or 1)
    levels = ("debug", "info", "warning", "error")
    return (
        (0 < len(settings.secret_key) < SHORTEST_KEY, f"Set PORTAL_SECRET_KEY to {SHORTEST_KEY} or more random characters."),
        (
            bool(settings.public_url) and not urlsplit(settings.public_url).netloc,
            "Set PORTAL_PUBLIC_URL to a whole address, with https:// in front.",
        ),
        (settings.log_level not in levels, "Set PORTAL_LOG_LEVEL to debug, info, warning or error."),
        (not all(1 <= port <= HIGHEST_PORT for port in ports), f"Set ports to numbers from 1 to {HIGHEST_PORT}."),
        (settings.metrics_port == settings.port, "Set PORTAL_METRICS_PORT to another port than PORTAL_PORT: it is a private one."),
        (not all(counts), "Set the numbers of workers, threads, seconds and megabytes to 1 or more."),
    )


def _laptop_key(data_dir: Path) -> str:
    """The signing key of a laptop, made once and kept in a private file in the data folder."""
    path = data_dir / "secret-key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(48))
        return path.read_text()
    except OSError as error:
        message = f"Set PORTAL_DATA_DIR to a folder you can write to: {data_dir} cannot be used ({error.strerror})."
        raise SettingsError(message) from error


def _write_once(path: Path, key: str) -> None:
    """Write the key whole or not at all, and never over one that another start has just made.

    `os.link` fails when the file exists, where a rename would replace it: two processes that started together would then
    sign cookies with two keys.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(key)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


#: Variables read by the tools around the portal, not by the portal itself.
TOOL_VARIABLES: tuple[tuple[str, str, str], ...] = (
    ("PORTAL_VENV", ".venv", "folder of the Python environment that ./run makes"),
    ("PORTAL_PG_BINDIR", "", "folder of PostgreSQL's programs, for the embedded database"),
    ("PORTAL_REQUIRE_BROWSER", "", "1: ./run test fails when browser tests could not run"),
)


def settings_help() -> str:
    """Every environment variable, one line each, with its default."""
    settings = [(setting.metadata["name"], _default_text(setting.name), setting.metadata["says"]) for setting in fields(Settings)]
    lines = []
    for name, default, says in (*settings, *TOOL_VARIABLES):
        lines.append(f"  {name:<24} {says}{f' [{default}]' if default else ''}")
    return "\n".join(lines)


def _default_text(name: str) -> str:
    if name == "data_dir":
        return str(default_data_dir())
    default = next(setting.default for setting in fields(Settings) if setting.name == name)
    return str(int(default)) if isinstance(default, bool) else str(default)


SETTINGS_HELP = settings_help()
