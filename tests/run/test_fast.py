"""`./run test --fast`: it leaves out what needs a server, and starts none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from config.revision import REPOSITORY
from tests.support import servers

pytestmark = pytest.mark.slow

PLANTED = '''"""Planted tests, one of each kind."""

import os

import pytest

def test_of_pure_code(): assert "{address}" not in os.environ

@pytest.mark.slow
def test_that_is_slow(): raise AssertionError

def test_of_the_database(world): raise AssertionError

def test_that_asks_for_the_database_later(request): request.getfixturevalue("engine")
'''


@pytest.fixture
def planted_output() -> str:
    """What a fast run prints for a planted file."""
    file = REPOSITORY / "tests" / "run" / f"test_planted_{os.getpid()}.py"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_TEST_", "PYTEST_"))}
    file.write_text(PLANTED.format(address=servers.SUPER), encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "--fast", "-n", "0", "-p", "no:cacheprovider", "-rf", str(file)]
        return subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False).stdout
    finally:
        file.unlink()


def test_a_fast_run_starts_no_server_and_refuses_to(planted_output: str) -> None:
    assert "1 failed, 1 passed, 2 deselected" in planted_output
    assert "A fast run starts no server" in planted_output
