"""PORTAL_CLOCK: one command takes itself to run at another instant, on the embedded database alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from config.revision import REPOSITORY
from config.settings import Settings
from local.locks import servers_for_command

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CLOCK = "2026-01-12T09:00:00+00:00"
ADD = ("authority", "add", "weir", "--name", "Weir", "--la-code", "001")


def portal(data_dir: Path, *words: str, **settings: str) -> tuple[int, Any]:
    """Run one command on this folder, and return its exit status and document."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "portal", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120,
        env={**inherited, "PYTHONPATH": str(REPOSITORY), "PORTAL_DATA_DIR": str(data_dir), **settings},
    )  # fmt: skip
    assert "Traceback" not in finished.stderr, finished.stderr
    return finished.returncode, json.loads(finished.stdout)


def test_a_command_is_dated_by_the_clock_it_is_given(data_dir: Path) -> None:
    assert portal(data_dir, *ADD, PORTAL_CLOCK=CLOCK)[0] == 0
    # The next command asks the real clock again.
    assert portal(data_dir, "authority", "add", "mere", "--name", "Mere", "--la-code", "002")[0] == 0
    settings = Settings.from_environment({"PORTAL_DATA_DIR": str(data_dir)})
    with servers_for_command(settings) as running, psycopg.connect(running.owner_url) as connection:
        rows = connection.execute("SELECT slug, created_at AT TIME ZONE 'UTC' FROM authority ORDER BY slug").fetchall()
    dates = {slug: created_at.isoformat() for slug, created_at in rows}
    assert dates["weir"] == "2026-01-12T09:00:00"
    assert dates["mere"] > dates["weir"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PORTAL_CLOCK": "yesterday"}, "Set PORTAL_CLOCK to an instant with its offset"),
        ({"PORTAL_CLOCK": CLOCK, "PORTAL_ENV": "production"}, "Remove PORTAL_CLOCK: no clock is set beside PORTAL_ENV=production"),
        ({"PORTAL_CLOCK": CLOCK, "DATABASE_URL": "postgresql://a@b/c"}, "not on that of DATABASE_URL"),
    ],
)
def test_a_clock_that_may_not_be_set_is_a_problem(data_dir: Path, settings: dict[str, str], sentence: str) -> None:
    status, document = portal(data_dir, "rules", "check", **settings)
    assert status == 1
    assert sentence in document["error"]
    assert document["problems"] == []


def test_the_help_of_run_lists_the_clock() -> None:
    finished = subprocess.run([sys.executable, REPOSITORY / "run", "--help"], capture_output=True, text=True, check=True)
    assert "  PORTAL_CLOCK " in finished.stdout
