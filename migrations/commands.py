"""`portal migrate` and `portal distribute`: the database's version, and its spread over a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import migrations
from migrations import distribution
from portal.accounts.actions import people
from portal.accounts.queries.people import authorities
from portal.accounts.queries.principals import command_line_scope, platform_scope
from portal.benchmarks.actions import load_bundled
from portal.db.work import unit_of_work
from portal.platform.command_line import Command, CommandLine
from portal.registers.actions import recount_out_of_date

if TYPE_CHECKING:
    from uuid import UUID


@click.command(cls=Command)
@click.pass_obj
def migrate(command_line: CommandLine) -> dict[str, object]:
    """Bring the database to this version, load the published figures and recount what is out of date."""
    with command_line.database():
        with unit_of_work(platform_scope()):
            people.ensure_platform()
            loaded = load_bundled()
            ids = [authority.id for authority in authorities()]
        return {"at": migrations.head(), "published_figures_loaded": loaded, "years_to_recount": sum(map(_recount, ids))}


def _recount(authority_id: UUID) -> int:
    """Enqueue an authority's recounts. Row security shows one authority at a time."""
    with unit_of_work(command_line_scope(authority_id)):
        return recount_out_of_date()


@click.command()
def distribute() -> None:
    """Print the SQL that spreads the tables over a Citus cluster. Needs no database."""
    for statement in distribution.statements():
        click.echo(f"{statement};")
