"""`portal measures`: counts and rates from the registers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from portal.platform.command_line import DAY, Command, CommandFailedError, CommandLine, authority_option
from portal.pupils.domain.incoming import YEAR_GROUPS
from portal.registers.domain.measures import ALL, Measure, document
from portal.registers.queries import measures as measured
from portal.schools.commands import school_with_urn
from portal.schools.domain.school_list import PHASE_WORDS
from portal.schools.queries import schools as every_school

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.schools.models import School

PHASES = tuple(dict.fromkeys(phase for _, phase in PHASE_WORDS))


class Phase(click.ParamType[str]):
    """A phase of schools. An unknown one is a problem in the document, not a usage error."""

    name = "phase"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002  click's signature
        """Read the phase, with a space for a hyphen and in any case."""
        phase = str(value).strip().lower().replace(" ", "-")
        if phase not in PHASES:
            raise CommandFailedError(f"Give a phase from the list, not “{value}”: {', '.join(PHASES)}.")
        return phase


class Options(TypedDict):
    """What may be typed after `portal measures`."""

    authority: str
    school: str | None
    phase: str | None
    first: date | None
    last: date | None
    by: str
    include_all_ages: bool


@click.command(cls=Command)
@authority_option
@click.option("--school", metavar="URN", help="one school")
@click.option("--phase", type=Phase(), metavar="P", help="the schools of one phase")
@click.option("--from", "first", type=DAY, metavar="D", help="YYYY-MM-DD: the first day")
@click.option("--to", "last", type=DAY, metavar="D", help="YYYY-MM-DD: the last day")
@click.option(
    "--by", type=click.Choice(("school", "week", "year-group", "code", "month", "none")), default="none", help="the groups"
)
@click.option("--include-all-ages", is_flag=True, help="every pupil and every mark, not DfE's headline population")
@click.pass_obj
def measures(command_line: CommandLine, **options: Unpack[Options]) -> dict[str, object]:
    """Count sessions and rates over the schools, days and population asked for."""
    school, phase, by = options["school"], options["phase"], options["by"]
    between = (options["first"] or date.min, options["last"] or date.max)
    if between[1] < between[0]:
        raise CommandFailedError("Give a last day (--to) that is not before the first (--from).")
    with command_line.authority(options["authority"]):
        schools_in_scope = [school_with_urn(school)] if school else every_school()
        selected_schools = [candidate for candidate in schools_in_scope if phase in {None, candidate.phase}]
        grouping: Any = "none" if by == "code" else by
        groups = measured(
            [selected.id for selected in selected_schools], between=between, by=grouping, everyone=options["include_all_ages"]
        )
    if grouping == "none":
        groups = {ALL: groups.get(ALL, Measure())}
    return {
        "authority": options["authority"],
        "school": school,
        "phase": phase,
        "from": options["first"],
        "to": options["last"],
        "by": by,
        "population": "every pupil and every mark" if options["include_all_ages"] else "ages 5 to 15, Year 11 to the May half term",
        "schools": len(selected_schools),
        "groups": groups[ALL].rows_by_code() if by == "code" else _groups(groups, by, selected_schools),
    }


def _groups(groups: Mapping[str, Measure], by: str, schools: Sequence[School]) -> list[dict[str, object]]:
    """The groups in order: schools by URN, year groups from Nursery up, weeks and months by date.

    A group without a mark in the chosen population is left out.
    """
    counted = {group: measure for group, measure in groups.items() if measure.by_code.any() or group == ALL}
    if by == "school":
        by_school = [
            (school, counted[str(school.id)])
            for school in sorted(schools, key=lambda school: school.urn)
            if str(school.id) in counted
        ]
        return [
            document(
                school.urn,
                measure,
                by=by,
                extra={"urn": school.urn, "name": school.name, "phase": school.phase, "school_id": str(school.id)},
            )
            for school, measure in by_school
        ]
    order = {group: index for index, group in enumerate(YEAR_GROUPS)} if by == "year-group" else {}
    return [
        document(group, counted[group], by=by) for group in sorted(counted, key=lambda group: (order.get(group, len(order)), group))
    ]
