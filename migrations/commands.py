"""`portal migrate` and `portal distribute`: the database's version, and its spread over a cluster."""

from __future__ import annotations

import click

import migrations
from migrations import distribution
from portal.accounts.actions import people
from portal.accounts.queries.principals import platform_scope
from portal.benchmarks.actions import load_bundled
from portal.db.work import unit_of_work
from portal.platform.command_line import Command, CommandLine


@click.command(cls=Command)
@click.pass_obj
def migrate(command_line: CommandLine) -> dict[str, object]:
    """Bring the database to this version, and load the published figures that come with it."""
    with command_line.database(), unit_of_work(platform_scope()):
        people.ensure_platform()
        return {"at": migrations.head(), "published_figures_loaded": load_bundled()}


@click.command()
def distribute() -> None:
    """Print the SQL that spreads the tables over a Citus cluster. Needs no database."""
    for statement in distribution.statements():
        click.echo(f"{statement};")
