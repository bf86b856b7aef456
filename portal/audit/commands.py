"""`portal audit`: checks an authority's audit chain."""

from __future__ import annotations

import click

from portal.audit.queries import check_chain
from portal.platform.command_line import CommandFailedError, CommandLine, Noun, authority_option


@click.group(cls=Noun)
def audit() -> None:
    """Check the audit."""


@audit.command()
@authority_option
@click.pass_obj
def verify(command_line: CommandLine, *, authority: str) -> dict[str, object]:
    """Read an authority's chain from the start."""
    with command_line.authority(authority):
        verdict = check_chain()
    if verdict.first_bad is not None:
        raise CommandFailedError(f"The chain does not hold at row {verdict.first_bad}: {verdict.why}.", [verdict])
    return {"rows": verdict.rows, "holds": True}
