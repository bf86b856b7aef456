"""What every command shares: its settings, its document, its exit status and its kinds of options.

A capability's `commands.py` returns a value; this module prints it. Nothing heavy is imported here, because `--help`
imports this module.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from config.settings import Settings, SettingsError
from local.child_processes import CannotStartError
from portal.platform import clock
from portal.platform.capability import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

DONE, PROBLEMS, WRONG_WORDS, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 128 + signal.SIGINT, 128 + signal.SIGPIPE

#: Named, not imported: the database brings SQLAlchemy and every table with it.
_DATABASE = "portal.platform.command_database"


class CommandFailedError(Exception):
    """A command could not do its work: a sentence, and the list of problems."""

    def __init__(self, sentence: str, problems: Sequence[object] = ()) -> None:
        """Keep the problems beside the sentence."""
        super().__init__(sentence)
        self.problems = [as_document(problem) for problem in problems]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a command is given: the settings, and the ways into the database. Ask for it with `click.pass_obj`."""

    settings: Settings

    def database(self) -> AbstractContextManager[str]:
        """Connect to the database, brought to this version. Gives its address as its owner."""
        opened: AbstractContextManager[str] = load(f"{_DATABASE}.open_database")(self.settings)
        return opened

    def authority(self, slug: str) -> AbstractContextManager[UUID]:
        """Connect, and open a unit of work in this authority's scope. Gives the authority's id."""
        opened: AbstractContextManager[UUID] = load(f"{_DATABASE}.open_authority")(self.settings, slug)
        return opened


class Command(click.Command):
    """A command that prints what its function returns as one JSON document, and answers with the exit status.

    The settings are read after the words are understood: a mistyped option is reported before a wrong setting.
    """

    def invoke(self, ctx: click.Context) -> int:
        """Read the settings, set the clock if they say so, run the function and print its document."""
        settings = Settings.from_environment(os.environ)
        ctx.obj = CommandLine(settings)
        instant = settings.clock
        with nullcontext() if instant is None else clock.frozen_at(instant):
            document = super().invoke(ctx)
        print_document(document)
        return DONE


class Noun(click.Group):
    """The commands about one kind of thing, such as `portal marks`. Its commands print documents."""

    command_class = Command


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run the command these words ask for, and return its exit status.

    click's own `main` is not used: it would take any broken connection for a reader that has left, and end in silence.
    """
    try:
        with command.make_context("portal", list(arguments)) as context:
            return int(command.invoke(context))
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except CommandFailedError as error:
        print_document({"error": str(error), "problems": error.problems})
    except (SettingsError, CannotStartError) as error:
        print_document({"error": str(error), "problems": []})
    except KeyboardInterrupt:
        return INTERRUPTED
    return PROBLEMS


def print_document(document: object) -> None:
    """Write the document. When its reader has gone (`| head`), exit quietly with the signal's status, as other programs do."""
    try:
        json.dump(document, sys.stdout, indent=1, default=str)
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes standard output once more as it ends, and would complain; so it gets somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


def as_document(value: object) -> Any:
    """A dataclass as a dictionary; anything else as it is."""
    if isinstance(value, dict):
        return value
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value  # type: ignore[call-overload]  # checked on this line


class Day(click.ParamType[date]):
    """A day, written YYYY-MM-DD. Another writing is a problem, not a usage error: data teams read the document."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ARG002  click's signature
        """Read the day."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise CommandFailedError(f"Write the day as YYYY-MM-DD, not “{value}”.") from error


DAY = Day()

#: The options that several nouns share.
authority_option = click.option("--authority", required=True, metavar="SLUG", help="the authority's short name")
file_argument = click.argument("file", type=Path)


def read_file(file: Path) -> bytes:
    """The bytes of a file named on the command line.

    Raises:
        CommandFailedError: when it cannot be opened.
    """
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise CommandFailedError(could_not_open(file, error)) from error


def could_not_open(file: Path, error: OSError | ValueError) -> str:
    """The sentence for a file that cannot be opened."""
    why = getattr(error, "strerror", None) or "no reason given"
    return f"{file.name or file} could not be opened: {why.lower()}."
