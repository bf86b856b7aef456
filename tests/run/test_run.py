"""`./run`: what it asks to be installed, what it hands over to, and the sentence it has for each thing in the way."""

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

#: Stands in for the environment's Python: it says how it was called and with what.
PYTHON = """#!/bin/sh
case "$*" in *"import sys, pip"*) exit 0;; esac
case "$*" in *"-m pip"*) printf '%s\\n' "$PIP_SAYS"; exit "${PIP_ENDS:-0}";; esac
printf '%s\\n' "$*" "$PYTHONPATH" "$PWD" "${DATABASE_URL-none}"
"""


def _loaded() -> Any:
    loader = importlib.machinery.SourceFileLoader("portal_run", str(RUN))
    spec = importlib.util.spec_from_loader("portal_run", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


run = _loaded()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment whose Python only says what it was asked."""
    made = tmp_path / "an environment"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").write_text(PYTHON)
    (made / "bin" / "python").chmod(0o755)
    return made


@pytest.fixture
def started(venv: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `./run` from another folder with that environment."""

    def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        told = {"PATH": os.environ["PATH"], "PORTAL_VENV": str(venv), "DATABASE_URL": "postgresql://real", **environ}
        return subprocess.run(
            [sys.executable, RUN, *arguments], cwd=tmp_path, env=told, capture_output=True, text=True, check=False
        )

    return start


@pytest.mark.parametrize(
    ("arguments", "becomes", "level"),
    [
        ((), "-P -m portal.up", "runtime"),
        (("up",), "-P -m portal.up", "runtime"),
        (("portal", "marks", "import", "a file.csv"), "-P -m portal marks import a file.csv", "runtime"),
        (("reset-demo",), "-P -m portal demo --reset", "runtime"),
        (("bench", "--quick"), "-P -m bench --quick", "dev"),
        (("test", "-k", "one"), f"-P -m pytest --rootdir {REPOSITORY} -k one", "dev"),
    ],
)
def test_each_command_becomes_its_program(
    arguments: tuple[str, ...], becomes: str, level: str, started: Callable[..., Any], venv: Path, tmp_path: Path
) -> None:
    """Set up first, then hand over; standard output is the program's alone, and so is the folder it works in."""
    answer = started(*arguments)
    command, path, folder, database = answer.stdout.splitlines()
    assert (command, path) == (becomes, str(REPOSITORY))
    testing = "pytest" in becomes
    assert folder == str(REPOSITORY if testing else tmp_path)
    assert database == ("none" if testing else "postgresql://real")
    assert run.stamped(venv) == (level, run.digest())


def test_the_second_start_installs_nothing_and_says_nothing(started: Callable[..., Any], venv: Path) -> None:
    """The stamp is all that is looked at."""
    assert "Set up in" in started("portal").stderr
    again = started("portal", PIP_ENDS="1")
    assert (again.returncode, again.stderr) == (0, "")
    (venv / "portal-stamp").write_text("runtime of-another-lock\n")
    assert "Set up in" in started("portal").stderr


def test_tools_for_tests_are_added_once_and_never_taken_away(started: Callable[..., Any], venv: Path) -> None:
    """Runtime, then dev, then dev for ever."""
    started("portal")
    assert run.stamped(venv)[0] == "runtime"
    started("test")
    assert run.stamped(venv)[0] == "dev"
    assert started("portal").stderr == ""
    (venv / "portal-stamp").write_text("dev of-another-lock\n")
    started("portal")
    assert run.stamped(venv) == ("dev", run.digest())


@pytest.mark.parametrize(
    ("said", "sentence"),
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
def test_what_stands_in_the_way_is_a_sentence(said: str, sentence: str, started: Callable[..., Any], venv: Path) -> None:
    """And nothing half installed is ever taken for whole."""
    answer = started("portal", PIP_SAYS=said, PIP_ENDS="1")
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith(sentence)
    assert run.stamped(venv) == ("", "")


def test_progress_is_one_line_a_package(started: Callable[..., Any]) -> None:
    """The name and how far, on standard error."""
    said = "Collecting alembic==1.20.1 (from -r x)\n  Downloading alembic.whl (1 kB)\nInstalling collected packages: alembic"
    lines = started("portal", PIP_SAYS=said).stderr.splitlines()
    assert lines[0].endswith("] alembic==1.20.1")
    assert lines[0].startswith("[1/")
    assert lines[1] == "Installing them …"


def test_a_missing_venv_module_names_the_package_to_install(tmp_path: Path) -> None:
    """Debian's Python comes without it."""
    hidden = (
        "import sys, runpy; sys.modules['ensurepip'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    environ = {**os.environ, "PORTAL_VENV": str(tmp_path / "none")}
    answer = subprocess.run([sys.executable, "-c", hidden, RUN], env=environ, capture_output=True, text=True, check=False)
    assert answer.stderr.startswith("Install Python's venv module first; on Debian and Ubuntu: apt-get install python3.")
    assert answer.returncode == 1


def test_an_older_python_is_told_which_to_use() -> None:
    """The file must be readable by the Python that is to be told; the check comes before anything newer is used."""
    source = RUN.read_text()
    ast.parse(source, feature_version=(3, 7))
    older = source.replace("sys.version_info < (3, 11)", "sys.version_info < (4, 0)").replace("sys.version_info[:2]", "(3, 9)")
    answer = subprocess.run([sys.executable, "-c", older], capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert answer.stderr.strip() == "Use Python 3.11 or newer: this is Python 3.9. Try: python3.11 run"


def test_a_folder_that_cannot_be_written_is_named(started: Callable[..., Any], tmp_path: Path) -> None:
    """Such as one whose name belongs to a file."""
    (tmp_path / "file").write_text("")
    answer = started("portal", PORTAL_VENV=str(tmp_path / "file" / "venv"))
    assert answer.stderr.startswith("Set PORTAL_VENV to a folder you can write to")


def test_help_lists_every_setting_without_setting_up(started: Callable[..., Any], venv: Path) -> None:
    """The whole list, from where the settings are kept."""
    answer = started("--help")
    assert SETTINGS_HELP in answer.stdout
    assert not (venv / "portal-stamp").exists()


def test_an_unknown_command_is_not_guessed(started: Callable[..., Any]) -> None:
    """It says what to try."""
    answer = started("tests")
    assert (answer.returncode, answer.stderr) == (1, "There is no ./run tests. Try ./run --help.\n")


def test_only_the_standard_library_is_used() -> None:
    """On a fresh machine there is nothing else."""
    for path in (RUN, REPOSITORY / "config" / "settings.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in sys.stdlib_module_names
