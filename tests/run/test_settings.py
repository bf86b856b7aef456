"""The settings: what is read, what is refused, and what the help lists."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from config.settings import SETTINGS_HELP, Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdefghijklmnopqrstuvwxyz-"

LIVE = {
    "PORTAL_ENV": "production",
    "DATABASE_URL": "postgresql://portal_app:a@db/portal?sslmode=verify-full",
    "REDIS_URL": "rediss://:b@queue/0",
    "PORTAL_SECRET_KEY": KEY,
    "PORTAL_PUBLIC_URL": "https://attendance.example.gov.uk",
}

REFUSED = [
    ({"DASH_MCP_ENABLED": "false"}, "Remove DASH_MCP_ENABLED"),
    ({**LIVE, "DASH_MCP_ENABLED": ""}, "Remove DASH_MCP_ENABLED"),
    ({**LIVE, "PORTAL_DEMO": "1"}, "Remove PORTAL_DEMO=1"),
    ({"PORTAL_DEMO": "1", "PORTAL_SMTP_HOST": "mail.example.gov.uk"}, "Remove PORTAL_DEMO=1"),
    ({"PORTAL_DEMO": "1", "PORTAL_PUBLIC_URL": "https://attendance.example.gov.uk"}, "Remove PORTAL_DEMO=1"),
    ({**LIVE, "DATABASE_URL": ""}, "Set DATABASE_URL"),
    ({**LIVE, "DATABASE_URL": "postgresql://portal_owner:a@db/portal"}, "signs in as portal_app"),
    ({**LIVE, "DATABASE_URL": "postgresql://postgres:portal_app@portal_app/portal"}, "signs in as portal_app"),
    ({**LIVE, "DATABASE_URL": "postgresql://db/portal"}, "signs in as portal_app"),
    ({**LIVE, "REDIS_URL": ""}, "Set REDIS_URL"),
    ({**LIVE, "PORTAL_SECRET_KEY": ""}, "Set PORTAL_SECRET_KEY to 32 or more random characters, the same on every machine"),
    ({**LIVE, "PORTAL_SECRET_KEY": "short"}, "Set PORTAL_SECRET_KEY"),
    ({**LIVE, "PORTAL_SECRET_KEY": "x" * 40}, "a key of your own"),
    ({**LIVE, "PORTAL_SECRET_KEY": "example-key-of-the-tests-and-of-nothing-else"}, "an example anyone can read"),
    ({"PORTAL_DEMO": "1", "PORTAL_HOST": "0.0.0.0"}, "Set PORTAL_HOST to 127.0.0.1"),  # noqa: S104  the test is the refusal
    ({"PORTAL_HOST": "0.0.0.0"}, "Set PORTAL_HOST to 127.0.0.1"),  # noqa: S104  as above
    ({"PORTAL_HOST": "::"}, "Set PORTAL_HOST to 127.0.0.1"),
    ({"PORTAL_HOST": "192.0.2.7"}, "Set PORTAL_HOST to 127.0.0.1"),
    ({"PORTAL_HOST": "localhost.example.org"}, "Set PORTAL_HOST to 127.0.0.1"),
    ({**LIVE, "PORTAL_PUBLIC_URL": "http://attendance.example.gov.uk"}, "Set PORTAL_PUBLIC_URL to the https address"),
    ({"PORTAL_PUBLIC_URL": "attendance"}, "Set PORTAL_PUBLIC_URL to a whole address"),
    ({"PORTAL_ENV": "prod"}, "Set PORTAL_ENV"),
    ({"PORTAL_PORT": "eighty"}, "Set PORTAL_PORT to a whole number"),
    ({"PORTAL_PORT": "70000"}, "Set ports to numbers from 1 to 65535"),
    ({"PORTAL_METRICS_PORT": "8000"}, "Set PORTAL_METRICS_PORT to another port"),
    ({**LIVE, "PORTAL_CLOCK": "2026-01-12T09:00:00+00:00"}, "Remove PORTAL_CLOCK: no clock is set beside"),
    ({"PORTAL_CLOCK": "2026-01-12T09:00:00+00:00", "PORTAL_SMTP_HOST": "mail"}, "Remove PORTAL_CLOCK: no clock is set beside"),
    ({"PORTAL_CLOCK": "2026-01-12T09:00:00+00:00", "DATABASE_URL": "postgresql://a@b/c"}, "on the embedded database only"),
    ({"PORTAL_CLOCK": "2026-01-12T09:00:00+00:00", "DATABASE_OWNER_URL": "postgresql://a@b/c"}, "on the embedded database only"),
    ({"PORTAL_CLOCK": "2026-01-12"}, "Set PORTAL_CLOCK to an instant with its offset"),
    ({"PORTAL_CLOCK": "2026-01-12T09:00:00"}, "Set PORTAL_CLOCK to an instant with its offset"),
    ({"PORTAL_CLOCK": "0001-01-01T00:00:00+01:00"}, "Set PORTAL_CLOCK to an instant with its offset"),
    ({"PORTAL_CLOCK": "nine o'clock"}, "Set PORTAL_CLOCK to an instant with its offset"),
    ({"PORTAL_DEMO": "maybe"}, "Set PORTAL_DEMO to 1 or 0"),
    ({"PORTAL_LOG_LEVEL": "loud"}, "Set PORTAL_LOG_LEVEL"),
    ({"PORTAL_WEB_WORKERS": "0"}, "Set the numbers of workers"),
]


@pytest.mark.parametrize(("environ", "sentence"), REFUSED)
def test_wrong_settings_are_refused_with_what_to_do(environ: dict[str, str], sentence: str, tmp_path: Path) -> None:
    """Each refusal is one sentence that begins with what to do."""
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({"PORTAL_SECRET_KEY": KEY, "PORTAL_DATA_DIR": str(tmp_path), **environ})
    assert str(refused.value).startswith(("Set ", "Remove "))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_production_starts_without_the_demonstration() -> None:
    """A whole production environment is accepted, with secure cookies and no demonstration."""
    settings = Settings.from_environment(LIVE)
    assert settings.production
    assert settings.secure_cookies
    assert not settings.demo


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, True),
        ({"PORTAL_DEMO": "0"}, False),
        ({"DATABASE_URL": "postgresql://a@b/c"}, False),
        ({"DATABASE_URL": "postgresql://a@b/c", "PORTAL_DEMO": "1"}, True),
        ({"PORTAL_SMTP_HOST": "mail.example.gov.uk"}, False),
    ],
)
def test_the_demonstration_is_on_by_default_only_with_the_embedded_database(environ: dict[str, str], on: bool) -> None:
    """It signs people in without a password, so it must never come on by accident beside real records."""
    assert Settings.from_environment({"PORTAL_SECRET_KEY": KEY, **environ}).demo is on


def test_a_laptop_keeps_its_signing_key(tmp_path: Path) -> None:
    """The key is made once, private, and the same for every process."""
    environ = {"PORTAL_DATA_DIR": str(tmp_path / "new")}
    first = Settings.from_environment(environ)
    assert first.secret_key == Settings.from_environment(environ).secret_key
    assert len(first.secret_key) >= 32
    assert (tmp_path / "new" / "secret-key").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret-key"]


def test_settings_are_frozen_and_their_repr_holds_no_secret(tmp_path: Path) -> None:
    """A setting changed at run time would differ between processes; a secret in a log is no secret."""
    settings = Settings.from_environment({**LIVE, "PORTAL_DATA_DIR": str(tmp_path), "PORTAL_SMTP_PASSWORD": "hunter2hunter2"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]  # the test is that it raises
    for secret in (KEY, "hunter2hunter2", "portal_app:a@"):
        assert secret not in repr(settings)


def test_the_help_lists_every_setting() -> None:
    """A setting that is not in the help does not exist for most people."""
    for setting in dataclasses.fields(Settings):
        assert f"  {setting.metadata['name']} " in SETTINGS_HELP
    assert "PORTAL_VENV" in SETTINGS_HELP
    assert max(len(line) for line in SETTINGS_HELP.splitlines()) < 140
