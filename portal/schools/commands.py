"""`portal schools` and `portal term-dates`: import a list of schools, and the dates of their terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portal.platform.command_line import (
    CommandFailedError,
    CommandLine,
    Noun,
    as_document,
    authority_option,
    file_argument,
    read_file,
)
from portal.rules.calendar import academic_year_name
from portal.schools import actions
from portal.schools.queries import school_by_urn

if TYPE_CHECKING:
    from pathlib import Path

    from portal.schools.models import School


@click.group(cls=Noun)
def schools() -> None:
    """Add and change schools."""


@schools.command("import")
@authority_option
@file_argument
@click.pass_obj
def import_schools(command_line: CommandLine, *, authority: str, file: Path) -> dict[str, object]:
    """Import a list of schools."""
    with command_line.authority(authority):
        outcome = actions.import_schools(read_file(file))
    if outcome.problems and not outcome.added + outcome.changed + outcome.unchanged:
        raise CommandFailedError("No school was imported. Correct the rows below and import the file again.", outcome.problems)
    return dict(as_document(outcome))


@click.group(cls=Noun)
def term_dates() -> None:
    """Replace term dates and closed days."""


@term_dates.command("import")
@authority_option
@click.option("--school", metavar="URN", help="a school's own dates; the authority's when left out")
@file_argument
@click.pass_obj
def import_term_dates(command_line: CommandLine, *, authority: str, school: str | None, file: Path) -> dict[str, object]:
    """Import term dates and closed days."""
    with command_line.authority(authority):
        school_id = school_with_urn(school).id if school else None
        outcome = actions.import_term_dates(read_file(file), school_id)
    if outcome.problems:
        raise CommandFailedError("No dates were imported. Correct the rows below and import the file again.", outcome.problems)
    return {**as_document(outcome), "academic_years": [academic_year_name(year) for year in outcome.years]}


def school_with_urn(urn: str) -> School:
    """The school with this URN in the authority of the command.

    Raises:
        CommandFailedError: when there is none.
    """
    school = school_by_urn(urn)
    if school is None:
        raise CommandFailedError(f"There is no school with URN {urn} in this authority. Import the list of schools first.")
    return school
