"""What production refuses: secrets that anyone can read, and ways off the machine that are not encrypted.

Standard library only, as the settings that use it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from config.settings import Settings

#: What stands in place of a secret in guides, example files and templates. A test reads them all and holds this to them.
_PLACEHOLDER = re.compile(
    r"change|example|…|\.\.\.|^<|^\$\{|^(?:password|secret|portal|portal_app|postgres|redis|attendance|admin|test)\W*\d*$",
    re.IGNORECASE,
)
#: libpq's words for a connection that is never in clear.
_ENCRYPTED = {"require", "verify-ca", "verify-full"}


def is_placeholder(secret: str) -> bool:
    """Is this no secret, but what a guide or an example file shows in place of one?"""
    return _PLACEHOLDER.search(secret.strip()) is not None


def production_reasons(settings: Settings) -> Iterator[tuple[bool, str]]:
    """Why these settings are not safe on servers: each with the sentence that says what to do."""
    for name, secret in _secrets(settings):
        yield is_placeholder(secret), f"Set {name} to a password or key of your own: this one is an example anyone can read."
    for name, url in (("DATABASE_URL", settings.database_url), ("DATABASE_OWNER_URL", settings.database_owner_url)):
        yield (
            bool(url) and not _is_database_private(url, settings),
            f"Set {name} to an address with ?sslmode=verify-full: the database is on another machine.",
        )
    yield (
        bool(settings.redis_url) and not urlsplit(settings.redis_url).password,
        "Set REDIS_URL to an address with a password: whoever can write to the queue server can start jobs.",
    )
    yield (
        bool(settings.redis_url) and not _is_queue_private(settings.redis_url, settings),
        "Set REDIS_URL to an address that begins with rediss:// and checks certificates: the queue server is on another machine.",
    )
    yield (
        bool(settings.smtp_host) and not settings.smtp_starttls and not _is_local(settings.smtp_host, settings),
        "Set PORTAL_SMTP_STARTTLS to 1: the mail server is on another machine, and mail holds links to choose passwords.",
    )


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each secret that was given, with the setting it is in."""
    yield "PORTAL_SECRET_KEY", settings.secret_key
    yield "PORTAL_SMTP_PASSWORD", settings.smtp_password
    urls: Mapping[str, str] = {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "REDIS_URL": settings.redis_url,
    }
    for name, url in urls.items():
        parts = urlsplit(url)
        yield name, unquote(parts.password or "")
        for argument, value in parse_qsl(parts.query):
            if argument == "password":
                yield name, value


def _is_database_private(url: str, settings: Settings) -> bool:
    """Is every host of this address on this machine, or the way to it encrypted?"""
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    modes = [value for name, value in query if name == "sslmode"]
    if modes and _ENCRYPTED.issuperset(modes):
        return True
    # libpq takes the hosts of the arguments in place of the one in front, and reads others from a file where a service is named.
    hosts = [host for name, value in query if name in {"host", "hostaddr"} for host in value.split(",")]
    hosts += [re.sub(r":\d*$", "", host) for host in urlsplit(url).netloc.rpartition("@")[2].split(",") if host]
    is_named_elsewhere = not hosts or any(name in {"service", "servicefile"} for name, _ in query)
    return not is_named_elsewhere and all(_is_local(host, settings) for host in hosts)


def _is_queue_private(url: str, settings: Settings) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        checks = [value.lower() for name, value in parse_qsl(parts.query, keep_blank_values=True) if name == "ssl_cert_reqs"]
        return all(check not in {"none", "optional", ""} for check in checks)
    return parts.scheme == "unix" or _is_local(parts.hostname or "", settings)


def _is_local(host: str, settings: Settings) -> bool:
    """Is this host this machine: a loopback address, a socket's folder, or a name that PORTAL_LOCAL_HOSTS lists?"""
    return host.startswith("/") or is_loopback(host) or host in re.split(r"[,\s]+", settings.local_hosts)


def is_loopback(host: str) -> bool:
    """Is this address or name of the loopback, which no other machine reaches?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
