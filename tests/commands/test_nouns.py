"""Tests of the command line's words: documented, imported when typed, and refused with status 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from portal import cli
from portal.platform.capability import load
from portal.platform.command_line import BROKEN_PIPE, DONE, PROBLEMS, WRONG_WORDS

if TYPE_CHECKING:
    from portal.platform.capability import CommandGroup

REPOSITORY = Path(__file__).parents[2]
DOCUMENTATION = REPOSITORY / "docs" / "command-line.md"
HEAVY = ("alembic", "dash", "flask", "numpy", "pandas", "plotly", "sqlalchemy", "wtforms")
IMPORTED_BY_HELP = "import sys; from portal import cli; cli.main(sys.argv[1:]); print(*sorted(sys.modules), file=sys.stderr)"
#: A word of a documented command, its verb and its options.
VERBS = "import|undo|revert|add(?:-first)?|check|verify|reset-second-factor|reinstate|end-sign-ins|rotate"
DOCUMENTED = re.compile(rf"portal ([a-z-]+)(?: ({VERBS}))?((?: [^`|\n]*)?)")


def modules_imported_by(*arguments: str) -> set[str]:
    """The modules that a command line of these words has imported when it ends."""
    finished = subprocess.run(
        [sys.executable, "-P", "-c", IMPORTED_BY_HELP, *arguments], cwd=REPOSITORY, env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Commands:" in finished.stdout
    return {name.partition(".")[0] for name in finished.stderr.split()}


def documented_commands() -> list[tuple[str, str, frozenset[str]]]:
    """Noun, verb and options of each command in the documentation."""
    text = DOCUMENTATION.read_text().replace("]\n                    [", "] [")
    return [
        (noun, verb, frozenset(re.findall(r"--[a-z-]+", options)))
        for noun, verb, options in DOCUMENTED.findall(text)
        if noun in {group.name for group in cli.COMMANDS}
    ]


def command_of(noun: str, verb: str) -> click.Command | None:
    """The command of these words."""
    context = click.Context(cli.portal)
    command = cli.portal.get_command(context, noun)
    return command.get_command(context, verb) if verb and isinstance(command, click.Group) else command


def test_help_imports_nothing_heavy() -> None:
    assert modules_imported_by("--help").isdisjoint(HEAVY)


def test_the_guard_on_heavy_imports_can_fail() -> None:
    assert not modules_imported_by("marks", "--help").isdisjoint(HEAVY)


@pytest.mark.parametrize("group", cli.COMMANDS, ids=lambda group: group.name)
def test_every_noun_is_a_command_of_that_name(group: CommandGroup) -> None:
    assert isinstance(load(group.command), click.Command)
    assert group.help


def test_every_documented_command_and_option_exists() -> None:
    commands = documented_commands()
    assert len({(noun, verb) for noun, verb, _ in commands}) >= 13
    for noun, verb, options in commands:
        command = command_of(noun, verb)
        assert command is not None, (noun, verb)
        its_options = {option for parameter in command.params for option in parameter.opts}
        assert options <= its_options, (noun, verb, options - its_options)


def test_every_command_and_option_is_documented() -> None:
    """But for the help, and for `up`, which `./run` alone starts."""
    text = DOCUMENTATION.read_text()
    for group in cli.COMMANDS[1:]:
        command = load(group.command)
        verbs = command.commands if isinstance(command, click.Group) else {"": command}
        for verb, leaf in verbs.items():
            assert f"portal {group.name} {verb}".strip() in text
            for parameter in leaf.params:
                assert all(option in text for option in parameter.opts if option.startswith("--")), (group.name, verb)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("marks",),
        ("marks", "nonsense"),
        ("marks", "import", "--authority", "x"),
        ("marks", "import", "--nonsense", "x.csv"),
        ("schools", "import", "x.csv"),
        ("measures", "--authority", "x", "--by", "nonsense"),
        ("measures", "--authority"),
        ("demo", "--schools", "many"),
        ("authority", "add", "x", "y", "--name", "X", "--la-code", "001"),
    ],
)
def test_words_that_make_no_command_are_answered_on_standard_error(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == WRONG_WORDS
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Usage: portal" in printed.err or "Error: " in printed.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("measures", "--authority", "x", "--from", "soon"), "Write the day as YYYY-MM-DD, not “soon”."),
        (("measures", "--phase", "tertiary", "--authority", "x"), "Give a phase from the list, not “tertiary”"),
        (("pupils", "import", "--academic-year", "soon", "x.csv"), "Write the academic year as 2025 or 2025/26, not “soon”."),
        (("marks", "import", "--authority", "x", "y.csv"), "Say which school the files are for with --school URN"),
        (("authority", "add", "", "--name", "", "--la-code", ""), "The authority was not added."),
    ],
)
def test_a_value_that_cannot_be_read_is_a_problem_in_the_document(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == PROBLEMS
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"].startswith(sentence)
    assert printed.err == ""


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("marks", "import", "--help"), ("measures", "-h")])
def test_help_is_printed_and_is_no_problem(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == DONE
    assert capsys.readouterr().out.startswith("Usage: portal")


def test_a_reader_that_leaves_early_ends_a_command_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "portal", "rules", "check"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={"PYTHONPATH": str(REPOSITORY), "PORTAL_DATA_DIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.close()
    assert process.wait(30) == BROKEN_PIPE
    assert process.stderr.read() == b""
    process.stderr.close()
