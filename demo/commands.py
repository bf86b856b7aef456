"""`portal demo`: makes the demonstration authority and its neighbour."""

from __future__ import annotations

import click

from config.settings import REAL_AUTHORITY
from demo.actions import make_demonstration
from portal.accounts.queries.principals import has_real_authority
from portal.db.work import unit_of_work
from portal.platform.command_line import Command, CommandFailedError, CommandLine


@click.command(cls=Command)
@click.option("--schools", type=int, default=24, show_default=True, help="how many schools")
@click.option("--pupils", type=int, default=9000, show_default=True, help="how many pupils")
@click.option("--if-empty", is_flag=True, help="only when there is no authority yet")
@click.option("--reset", is_flag=True, help="remove the demonstration first")
@click.pass_obj
def demo(command_line: CommandLine, *, schools: int, pupils: int, if_empty: bool, reset: bool) -> dict[str, object]:
    """Make the demonstration authority and its neighbour."""
    with command_line.database() as owner_url:
        with unit_of_work(None):
            is_real = has_real_authority()
        if is_real:
            raise CommandFailedError(REAL_AUTHORITY)
        return make_demonstration(schools=schools, pupils=pupils, if_empty=if_empty, reset=reset, owner_url=owner_url)
