"""The command line, for an authority's data team and for tests. It calls the same actions as the pages.

Each noun stands in its capability's `commands.py` and is imported when it is typed, so that `--help` is quick.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from portal.capabilities import commands
from portal.platform.capability import CommandGroup, load
from portal.platform.command_line import run

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Every noun, in the order in which `--help` lists them: the portal's own, then the capabilities'.
COMMANDS: tuple[CommandGroup, ...] = (
    CommandGroup("up", "start everything", "local.commands.up"),
    CommandGroup("migrate", "bring the database to this version", "migrations.commands.migrate"),
    CommandGroup("distribute", "print the SQL that spreads the tables over a Citus cluster", "migrations.commands.distribute"),
    CommandGroup("demo", "make the demonstration authority", "demo.commands.demo"),
    CommandGroup("rules", "the law as arithmetic", "portal.platform.rules_commands.rules"),
    CommandGroup("retention", "how long everything is kept", "portal.platform.retention_commands.retention"),
    *commands(),
)


class Nouns(click.Group):
    """A group whose commands are imported when one is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The nouns' names, in order."""
        return [noun.name for noun in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import the noun of this name, if there is one."""
        noun = next((noun for noun in COMMANDS if noun.name == cmd_name), None)
        if noun is None:
            return None
        command: click.Command = load(noun.command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's signature
        """List the nouns without importing them: click would ask each for its own help."""
        with formatter.section("Commands"):
            formatter.write_dl([(noun.name, noun.help) for noun in COMMANDS])


@click.command(cls=Nouns, context_settings={"help_option_names": ["-h", "--help"]})
def portal() -> None:
    """The attendance portal's command line. Commands print one JSON document each."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print its document. The exit status is 0 when it was done, and 1 when there were problems."""
    return run(portal, sys.argv[1:] if arguments is None else arguments)
