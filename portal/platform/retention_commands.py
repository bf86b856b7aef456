"""`portal retention`: how long each table is kept, and what is due. It deletes nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from portal.platform import clock
from portal.platform.command_line import Command, CommandLine, authority_option
from portal.platform.retention import due_rows


@click.command(cls=Command)
@authority_option
@click.pass_obj
def retention(command_line: CommandLine, *, authority: str) -> list[dict[str, Any]]:
    """List how long each table is kept, by which rule, and how many rows are due."""
    with command_line.authority(authority):
        return [asdict(row) for row in due_rows(clock.today())]
