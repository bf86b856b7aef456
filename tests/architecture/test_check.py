"""`./run check`: it runs every step, and fails when any of them does."""

from __future__ import annotations

import sys

import pytest

from tests.architecture import check

PASSING = [sys.executable, "-c", "print('passing')"]
FAILING = [sys.executable, "-c", "import sys; print('failing'); sys.exit(3)"]


def test_the_steps_after_a_failing_one_still_run(capfd: pytest.CaptureFixture[str]) -> None:
    assert check.run_steps({"first": FAILING, "second": PASSING}) == 1
    output = capfd.readouterr().out
    assert output.index("failing") < output.index("passing")
    first, second = output.splitlines()[-2:]
    assert first.split()[:2] == ["first", "failed"]
    assert second.split()[:2] == ["second", "passed"]


def test_it_passes_when_every_step_does() -> None:
    assert check.run_steps({"first": PASSING, "second": PASSING}) == 0


def test_an_unknown_step_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        check.main(["spelling"])
    assert "there is no step spelling" in capsys.readouterr().err


def test_a_fix_exists_for_checks_only() -> None:
    assert set(check.FIXES) <= set(check.CHECKS)
