"""`./run`: what each command installs, the program it becomes, and the sentence for each failure."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from config.revision import REPOSITORY
from config.settings import SETTINGS_HELP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUN = REPOSITORY / "run"

#: A stand-in for the environment's Python: it prints its arguments, its folder and two of its variables.
FAKE_PYTHON = """#!/bin/sh
case "$*" in *"import sys, pip"*) exit 0;; esac
case "$*" in *"-m pip"*) printf '%s\\n' "$PIP_OUTPUT"; exit "${PIP_STATUS:-0}";; esac
printf '%s\\n' "$*" "$PYTHONPATH" "$PWD" "${DATABASE_URL-none}"
"""


def _load_run() -> Any:
    loader = importlib.machinery.SourceFileLoader("portal_run", str(RUN))
    spec = importlib.util.spec_from_loader("portal_run", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


run = _load_run()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment whose Python only prints how it was called."""
    folder = tmp_path / "an environment"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text(FAKE_PYTHON)
    (folder / "bin" / "python").chmod(0o755)
    return folder


@pytest.fixture
def call_run(venv: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call `./run` from another folder with that environment."""

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": os.environ["PATH"], "PORTAL_VENV": str(venv), "DATABASE_URL": "postgresql://real", **variables}
        return subprocess.run(
            [sys.executable, RUN, *arguments], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )

    return call


@pytest.mark.parametrize(
    ("arguments", "program", "level"),
    [
        ((), "-P -m local.supervisor", "runtime"),
        (("up",), "-P -m local.supervisor", "runtime"),
        (("portal", "marks", "import", "a file.csv"), "-P -m portal marks import a file.csv", "runtime"),
        (("reset-demo",), "-P -m portal demo --reset", "runtime"),
        (("bench", "--quick"), "-P -m bench --quick", "dev"),
        (("test", "-k", "one"), f"-P -m pytest --rootdir {REPOSITORY} -k one", "dev"),
        (("test", "--fast"), f"-P -m pytest --rootdir {REPOSITORY} --fast", "dev"),
        (("check", "ruff"), "-P -m tests.architecture.check ruff", "dev"),
        (("fix",), "-P -m tests.architecture.check --fix", "dev"),
    ],
)
def test_each_command_becomes_its_program(
    arguments: tuple[str, ...], program: str, level: str, call_run: Callable[..., Any], venv: Path, tmp_path: Path
) -> None:
    """Standard output is the program's alone; tools work in the repository, and tests see no real database."""
    result = call_run(*arguments)
    command, path, folder, database = result.stdout.splitlines()
    assert (command, path) == (program, str(REPOSITORY))
    is_tool = "pytest" in program or "tests.architecture" in program
    assert folder == str(REPOSITORY if is_tool else tmp_path)
    assert database == ("none" if "pytest" in program else "postgresql://real")
    assert run.read_stamp(venv) == (level, run.lock_digest())


def test_a_second_call_installs_nothing_and_prints_nothing(call_run: Callable[..., Any], venv: Path) -> None:
    """Only the stamp is read; a stamp of another lock file installs again."""
    assert "Set up in" in call_run("portal").stderr
    second_call = call_run("portal", PIP_STATUS="1")
    assert (second_call.returncode, second_call.stderr) == (0, "")
    (venv / "portal-stamp").write_text("runtime of-another-lock\n")
    assert "Set up in" in call_run("portal").stderr


def test_the_tools_of_the_tests_are_installed_once_and_stay(call_run: Callable[..., Any], venv: Path) -> None:
    """An environment with the level `dev` never goes back to `runtime`."""
    call_run("portal")
    assert run.read_stamp(venv)[0] == "runtime"
    call_run("test")
    assert run.read_stamp(venv)[0] == "dev"
    assert call_run("portal").stderr == ""
    (venv / "portal-stamp").write_text("dev of-another-lock\n")
    call_run("portal")
    assert run.read_stamp(venv) == ("dev", run.lock_digest())


@pytest.mark.parametrize(
    ("pip_output", "sentence"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "Free about 1 GB"),
        (
            "NewConnectionError: Failed to establish a new connection: Temporary failure in name resolution",
            "Connect to the network",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "Check the package index"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "Set PORTAL_VENV"),
        ("something nobody has seen before", "The packages could not be installed. The last lines were:\nsomething nobody"),
    ],
)
def test_a_failed_installation_is_explained_in_a_sentence(
    pip_output: str, sentence: str, call_run: Callable[..., Any], venv: Path
) -> None:
    """A failed installation leaves no stamp, so that it is never taken for a complete one."""
    result = call_run("portal", PIP_OUTPUT=pip_output, PIP_STATUS="1")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(sentence)
    assert run.read_stamp(venv) == ("", "")


def test_progress_is_one_line_a_package(call_run: Callable[..., Any]) -> None:
    """The package and the count, on standard error."""
    pip_output = "Collecting alembic==1.20.1 (from -r x)\n  Downloading alembic.whl (1 kB)\nInstalling collected packages: alembic"
    lines = call_run("portal", PIP_OUTPUT=pip_output).stderr.splitlines()
    assert lines[0].endswith("] alembic==1.20.1")
    assert lines[0].startswith("[1/")
    assert lines[1] == "Installing them …"


def test_a_missing_venv_module_names_the_package_to_install(tmp_path: Path) -> None:
    """Debian ships Python without venv."""
    script = (
        "import sys, runpy; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    environ = {**os.environ, "PORTAL_VENV": str(tmp_path / "none")}
    result = subprocess.run([sys.executable, "-c", script, RUN], env=environ, capture_output=True, text=True, check=False)
    assert result.stderr.startswith("Install Python's venv module first; on Debian and Ubuntu: apt-get install python3.")
    assert result.returncode == 1


def test_an_older_python_is_refused_with_a_sentence() -> None:
    """An older Python must be able to parse the file, or it would print a SyntaxError instead."""
    source = RUN.read_text()
    ast.parse(source, feature_version=(3, 7))
    changed_source = source.replace("sys.version_info < (3, 11)", "sys.version_info < (4, 0)").replace(
        "sys.version_info[:2]", "(3, 9)"
    )
    result = subprocess.run([sys.executable, "-c", changed_source], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert result.stderr.strip() == "Use Python 3.11 or newer: this is Python 3.9. Try: python3.11 run"


def test_a_folder_that_cannot_be_written_is_named(call_run: Callable[..., Any], tmp_path: Path) -> None:
    """Here the folder's parent is a file."""
    (tmp_path / "file").write_text("")
    result = call_run("portal", PORTAL_VENV=str(tmp_path / "file" / "venv"))
    assert result.stderr.startswith("Set PORTAL_VENV to a folder you can write to")


def test_help_lists_every_setting_without_setting_up(call_run: Callable[..., Any], venv: Path) -> None:
    """The list comes from config/settings.py."""
    result = call_run("--help")
    assert SETTINGS_HELP in result.stdout
    assert not (venv / "portal-stamp").exists()


def test_an_unknown_command_is_not_guessed(call_run: Callable[..., Any]) -> None:
    """The answer names the command that lists them."""
    result = call_run("tests")
    assert (result.returncode, result.stderr) == (1, "There is no ./run tests. Try ./run --help.\n")


def test_only_the_standard_library_is_used() -> None:
    """A fresh machine has no other package."""
    own = {"config.production": REPOSITORY / "config" / "production.py"}
    for path in (RUN, REPOSITORY / "config" / "settings.py", *own.values()):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not (path.name == "production.py" and node.module == "config.settings"):
                names += [f"config.{alias.name}" for alias in node.names] if node.module == "config" else [node.module or ""]
            for name in set(names) - set(own):
                assert name.split(".")[0] in sys.stdlib_module_names
