"""`portal benchmarks`: loads published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portal.accounts.queries.principals import platform_scope
from portal.benchmarks import actions
from portal.db.work import unit_of_work
from portal.platform.command_line import DAY, CommandFailedError, CommandLine, Noun, file_argument

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


@click.group(cls=Noun)
def benchmarks() -> None:
    """Load published figures."""


@benchmarks.command("import")
@click.option("--name", help="the release's name; the file's own when left out")
@click.option("--published-on", type=DAY, metavar="D", help="YYYY-MM-DD; today when left out")
@click.option("--data-to", type=DAY, metavar="D", help="YYYY-MM-DD: the last day a year-to-date file covers")
@file_argument
@click.pass_obj
def import_benchmarks(
    command_line: CommandLine, *, file: Path, name: str | None, published_on: date | None, data_to: date | None
) -> dict[str, object]:
    """Load a file of published figures."""
    with command_line.database(), unit_of_work(platform_scope()):
        outcome = actions.import_file(file, name=name, published_on=published_on, data_to=data_to)
    if outcome["problems"]:
        raise CommandFailedError("The file was not loaded.", outcome["problems"])
    return outcome
