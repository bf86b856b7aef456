"""Attacks on an installation by what its guides print, and by listening between its machines (AVL-09, ASVS 13.3.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from config.revision import REPOSITORY
from config.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "0123456789abcdefghijklmnopqrstuvwxyz-"
LIVE = {
    "PORTAL_ENV": "production",
    "DATABASE_URL": "postgresql://portal_app:7d1f0b@db.internal/portal?sslmode=verify-full",
    "REDIS_URL": "rediss://:7d1f0b@queue.internal/0",
    "PORTAL_SECRET_KEY": KEY,
    "PORTAL_PUBLIC_URL": "https://attendance.example.gov.uk",
}
#: Where a secret is written: as a setting, in SQL, and in an address.
WRITTEN = (
    re.compile(r"^[\s-]*\w*(?:PASSWORD|SECRET|KEY|AUTH)\w*[=:]\s*[\"']?([^\s\"'#]+)", re.MULTILINE),
    re.compile(r"PASSWORD '([^']+)'"),
    re.compile(r"://[^:/\s]*:([^@\s]+)@"),
    re.compile(r"\b(?:CHANGE|example-)[\w-]{6,}"),
)


def shown_secrets() -> Iterator[str]:
    """Every string that stands where a secret would, in the guides, the example files and compose.yaml."""
    files = [*(REPOSITORY / "docs").rglob("*.md"), REPOSITORY / "compose.yaml", *(REPOSITORY / "config").glob("*.env")]
    for file in (*files, REPOSITORY / "config" / "roles.sql", REPOSITORY / "config" / "nginx.conf"):
        for pattern in WRITTEN:
            for match in pattern.finditer(file.read_text(encoding="utf-8")):
                secret = match[match.re.groups]
                if not secret.startswith(("/", ":")):
                    yield secret


SHOWN = sorted(set(shown_secrets()))


def test_the_guides_secrets_are_found() -> None:
    assert {"CHANGE-to-the-output-of-openssl-rand-base64-48", "CHANGE-the-apps-password", "CHANGEthequeuespassword"} <= set(SHOWN)
    assert "example-key-of-the-tests-and-of-nothing-else" in SHOWN


@pytest.mark.parametrize("secret", SHOWN)
@pytest.mark.parametrize(
    "setting", ["PORTAL_SECRET_KEY", "PORTAL_SMTP_PASSWORD", "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"]
)
def test_no_secret_that_is_printed_anywhere_is_accepted(setting: str, secret: str) -> None:
    """Attack C7: sign cookies, and open second factors, with the key of the manual."""
    values = {
        "DATABASE_URL": f"postgresql://portal_app:{secret}@db.internal/portal?sslmode=verify-full",
        "DATABASE_OWNER_URL": f"postgresql://portal_owner:{secret}@db.internal/portal?sslmode=verify-full",
        "REDIS_URL": f"rediss://:{secret}@queue.internal/0",
    }
    with pytest.raises(SettingsError):
        Settings.from_environment({**LIVE, setting: values.get(setting, secret)})


@pytest.mark.parametrize(
    "secret",
    [
        "Change-to-the-output-of-openssl-rand-base64-48",
        " CHANGE-to-the-output-of-openssl-rand-base64-48",
        "my-example-key-0123456789abcdefghij",
        "changeme0123456789abcdefghijklmnop",
    ],
)
def test_a_placeholder_written_in_another_way_is_refused_too(secret: str) -> None:
    """Attack C7."""
    with pytest.raises(SettingsError, match="an example anyone can read"):
        Settings.from_environment({**LIVE, "PORTAL_SECRET_KEY": secret})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DATABASE_URL", "postgresql://portal_app:x7@db.internal/portal"),
        ("DATABASE_URL", "postgresql://portal_app:x7@db.internal/portal?sslmode=prefer"),
        ("DATABASE_URL", "postgresql://portal_app:x7@db.internal/portal?sslmode=disable&sslmode=require"),
        ("DATABASE_URL", "postgresql://portal_app:x7@localhost/portal?host=db.internal"),
        ("DATABASE_URL", "postgresql://portal_app:x7@127.0.0.1/portal?hostaddr=192.0.2.7"),
        ("DATABASE_URL", "postgresql://portal_app:x7@127.0.0.1,db.internal/portal"),
        ("DATABASE_URL", "postgresql://portal_app:x7@localhost.evil.example/portal"),
        ("DATABASE_URL", "postgresql://portal_app:x7@/portal?service=other"),
        ("DATABASE_OWNER_URL", "postgresql://portal_owner:x7@db.internal/portal"),
        ("DATABASE_URL", "postgresql://portal_app@db.internal/portal?sslmode=require&password=CHANGE-the-apps-password"),
        ("REDIS_URL", "redis://127.0.0.1:6379/0"),
        ("REDIS_URL", "rediss://queue.internal/0"),
        ("REDIS_URL", "redis://:@127.0.0.1/0"),
        ("REDIS_URL", "unix:///run/redis.sock"),
        ("REDIS_URL", "redis://:x7@queue.internal/0"),
        ("REDIS_URL", "rediss://:x7@queue.internal/0?ssl_cert_reqs=none"),
    ],
)
def test_ways_to_the_database_and_the_queue_that_are_open_are_refused(setting: str, value: str) -> None:
    """Attack C7: listen between the machines, or write to a queue without a password."""
    with pytest.raises(SettingsError, match=rf"^Set {setting} to "):
        Settings.from_environment({**LIVE, setting: value})


@pytest.mark.parametrize("host", ["mail.internal", "192.0.2.25"])
def test_mail_in_clear_is_refused(host: str) -> None:
    """Attack C7: mail holds links to choose a password."""
    with pytest.raises(SettingsError, match=r"^Set PORTAL_SMTP_STARTTLS to 1"):
        Settings.from_environment({**LIVE, "PORTAL_SMTP_HOST": host, "PORTAL_SMTP_STARTTLS": "0"})
    assert Settings.from_environment({**LIVE, "PORTAL_SMTP_HOST": "127.0.0.1", "PORTAL_SMTP_STARTTLS": "0"}).production


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DATABASE_URL", "postgresql://portal_app:x7@127.0.0.1:5432/portal"),
        ("DATABASE_URL", "postgresql://portal_app:x7@[::1]/portal"),
        ("DATABASE_URL", "postgresql://portal_app@/portal?host=/run/postgresql"),
        ("DATABASE_URL", "postgresql://portal_app:x7@db.internal,db2.internal/portal?sslmode=verify-ca"),
        ("DATABASE_URL", "postgresql://portal_app:x7@db/portal"),
        ("REDIS_URL", "redis://:x7@localhost/0"),
        ("REDIS_URL", "redis://:x7@queue:6379/0"),
    ],
)
def test_ways_that_stay_on_the_machine_or_are_encrypted_are_accepted(setting: str, value: str) -> None:
    assert Settings.from_environment({**LIVE, "PORTAL_LOCAL_HOSTS": "db, queue", setting: value}).production
