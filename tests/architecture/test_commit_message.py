"""The commit-msg hook refuses a commit that does not say why."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture import commit_message, sources

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "Lock the npm packages by hash\n\nA version alone can be published again with other content.\n"


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("", "The first line says"),
        ("# Please enter the commit message\n", "The first line says"),
        ("a" * 73 + "\n\nWhy.\n", "The first line has 73 characters"),
        ("Lock the packages\n", "Say in the body why"),
        ("Lock the packages\n\n# Changes to be committed\n", "Say in the body why"),
        (f"Lock the packages\n\n{commit_message.SCISSORS}\n+++ a/b\n", "Say in the body why"),
        ("Lock the packages\nBecause\n", "Leave the second line empty"),
    ],
)
def test_a_poor_message_is_refused(message: str, fault: str) -> None:
    assert commit_message.fault(message).startswith(fault)


@pytest.mark.parametrize("message", [GOOD, "Merge branch 'words'\n", "fixup! Lock the packages\n"])
def test_a_good_message_passes(message: str) -> None:
    assert commit_message.fault(message) == ""


@pytest.mark.parametrize(("message", "status"), [(GOOD, 0), ("Lock the packages\n", 1)])
def test_the_hook_ends_with_a_status(tmp_path: Path, message: str, status: int) -> None:
    (tmp_path / "message").write_text(message, encoding="utf-8")
    command = [sys.executable, "-m", "tests.architecture.commit_message", str(tmp_path / "message")]
    assert subprocess.run(command, cwd=sources.ROOT, check=False).returncode == status
