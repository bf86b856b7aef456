"""`portal audit`: checks an authority's audit chain and its log of reads."""

from __future__ import annotations

import click

from portal.audit.queries import check_chain, check_reads
from portal.platform.command_line import CommandFailedError, CommandLine, Noun, authority_option


@click.group(cls=Noun)
def audit() -> None:
    """Check the audit."""


@audit.command()
@authority_option
@click.pass_obj
def verify(command_line: CommandLine, *, authority: str) -> dict[str, object]:
    """Read an authority's chain from the start, and compare the log of reads with the seals in it."""
    with command_line.authority(authority):
        verdict, reads = check_chain(), check_reads()
    if verdict.first_bad is not None:
        raise CommandFailedError(f"The chain does not hold at row {verdict.first_bad}: {verdict.why}.", [verdict])
    if reads.first_bad is not None:
        raise CommandFailedError(f"The reads do not match the seal of row {reads.first_bad}: {reads.why}.", [reads])
    if reads.overdue:
        message = f"{reads.overdue} reads are not sealed after five minutes, from number {reads.first_overdue} on."
        raise CommandFailedError(message, [reads])
    return {"rows": verdict.rows, "reads": reads.rows, "unsealed": reads.unsealed, "holds": True}
