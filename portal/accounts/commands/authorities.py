"""`portal authority`: adds a local authority."""

from __future__ import annotations

import re

import click

from portal.accounts.actions import people
from portal.accounts.queries.principals import command_line_scope, has_demonstration
from portal.db.work import unit_of_work
from portal.platform.command_line import CommandFailedError, CommandLine, Noun
from portal.platform.refusals import RefusedError

BESIDE_DEMONSTRATION = (
    "The authority was not added: this database holds the demonstration, as whose people anyone can sign in. "
    "Give the authority a database of its own: set PORTAL_DEMO to 0, and PORTAL_DATA_DIR or DATABASE_URL to another."
)


@click.group(cls=Noun)
def authority() -> None:
    """Add local authorities."""


@authority.command()
@click.argument("slug")
@click.option("--name", required=True, help="the authority's name")
@click.option("--la-code", required=True, metavar="CODE", help="its 3 digits, as GIAS shows them")
@click.pass_obj
def add(command_line: CommandLine, *, slug: str, name: str, la_code: str) -> dict[str, object]:
    """Add an authority. SLUG is its short name: letters, digits and hyphens."""
    _refuse_malformed(slug, name, la_code)
    with command_line.database(), unit_of_work(command_line_scope()):
        if has_demonstration():
            raise CommandFailedError(BESIDE_DEMONSTRATION)
        try:
            added = people.add_authority(slug, name, la_code)
        except RefusedError as error:
            raise CommandFailedError(str(error)) from error
        return {"authority": {"id": added.id, "slug": added.slug, "name": added.name, "la_code": added.la_code}}


def _refuse_malformed(slug: str, name: str, la_code: str) -> None:
    problems = []
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", slug) is None:
        problems.append("Enter a short name of letters, digits and hyphens, at most 60, for example northshire.")
    if not name.strip():
        problems.append("Enter the authority's name.")
    if re.fullmatch(r"[0-9]{3}", la_code) is None:
        problems.append("Enter the LA code as 3 digits, as GIAS shows it.")
    if problems:
        raise CommandFailedError("The authority was not added.", problems)
