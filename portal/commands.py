"""What each command does: open a database and a scope, and call the pages' queries and actions."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import migrations
from demo.actions import make_demonstration
from local.locks import servers_for_command
from portal.accounts.actions import people as people_actions
from portal.accounts.queries.people import authorities
from portal.accounts.queries.principals import authority_by_slug, command_line_scope, platform_scope
from portal.audit.queries import check_chain
from portal.benchmarks.actions import import_file, load_bundled
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.platform.refusals import RefusedError
from portal.pupils.domain.incoming import YEAR_GROUPS
from portal.registers.domain.measures import ALL, Measure, document
from portal.registers.queries import measures as measured
from portal.rules.calendar import academic_year_name
from portal.schools import actions as schools
from portal.schools.queries import school_by_urn
from portal.schools.queries import schools as every_school
from portal.uploads import actions as uploads
from portal.uploads.queries import findings_of, upload

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from config.settings import Settings
    from portal.schools.models import School
    from portal.uploads.models import Upload


class ProblemsError(Exception):
    """A command could not do its work: a sentence, and the list of problems."""

    def __init__(self, sentence: str, problems: Sequence[object] = ()) -> None:
        """Keep the problems beside the sentence."""
        super().__init__(sentence)
        self.problems = [_plain(problem) for problem in problems]


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """Connect to the running portal's database, or start the embedded one; migrate it if it is behind."""
    with servers_for_command(settings) as servers:
        owner = migrations.owner_engine(servers.owner_url)
        if migrations.current(owner) != migrations.head():
            migrations.upgrade(servers.owner_url)
        owner.dispose()
        engine = database.connect(servers.app_url, long_running=True)
        try:
            yield servers.owner_url
        finally:
            engine.dispose()


@contextmanager
def _authority(settings: Settings, slug: str) -> Iterator[UUID]:
    """A unit of work in an authority's scope, as the command line."""
    with _database(settings):
        with unit_of_work(None):
            authority = authority_by_slug(slug)
        if authority is None:
            message = f"There is no authority {slug}. Add it with: portal authority add {slug} --name NAME --la-code CODE"
            raise ProblemsError(message)
        with unit_of_work(command_line_scope(authority.id)):
            yield authority.id


def _school(urn: str) -> School:
    school = school_by_urn(urn)
    if school is None:
        message = f"There is no school with URN {urn} in this authority. Import the list of schools first."
        raise ProblemsError(message)
    return school


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise ProblemsError(_could_not_open(file, error)) from error


def _could_not_open(file: Path, error: OSError | ValueError) -> str:
    why = getattr(error, "strerror", None) or "no reason given"
    return f"{file.name or file} could not be opened: {why.lower()}."


def migrate(settings: Settings, _options: Namespace) -> dict[str, object]:
    """Bring the database to this version, and load the published figures that come with it."""
    with _database(settings), unit_of_work(platform_scope()):
        people_actions.ensure_platform()
        return {"at": migrations.head(), "published_figures_loaded": load_bundled()}


def demonstration(settings: Settings, options: Namespace) -> dict[str, object]:
    """Make the demonstration authority and its neighbour."""
    with _database(settings) as owner_url:
        return make_demonstration(
            schools=options.schools, pupils=options.pupils, if_empty=options.if_empty, reset=options.reset, owner_url=owner_url
        )


def add_authority(settings: Settings, options: Namespace) -> dict[str, object]:
    """Add an authority."""
    _refuse_malformed_authority(options.slug, options.name, options.la_code)
    with _database(settings), unit_of_work(command_line_scope()):
        try:
            added = people_actions.add_authority(options.slug, options.name, options.la_code)
        except RefusedError as error:
            raise ProblemsError(str(error)) from error
        return {"authority": {"id": added.id, "slug": added.slug, "name": added.name, "la_code": added.la_code}}


def _refuse_malformed_authority(slug: str, name: str, la_code: str) -> None:
    problems = []
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", slug) is None:
        problems.append("Enter a short name of letters, digits and hyphens, at most 60, for example northshire.")
    if not name.strip():
        problems.append("Enter the authority's name.")
    if re.fullmatch(r"[0-9]{3}", la_code) is None:
        problems.append("Enter the LA code as 3 digits, as GIAS shows it.")
    if problems:
        raise ProblemsError("The authority was not added.", problems)


def import_schools(settings: Settings, options: Namespace) -> dict[str, object]:
    """Import a list of schools."""
    with _authority(settings, options.authority):
        outcome = schools.import_schools(_content(options.file))
    if outcome.problems and not outcome.added + outcome.changed + outcome.unchanged:
        raise ProblemsError("No school was imported. Mend the rows below and import the file again.", outcome.problems)
    return dict(_plain(outcome))


def import_term_dates(settings: Settings, options: Namespace) -> dict[str, object]:
    """Import term dates for the authority, or for one school."""
    with _authority(settings, options.authority):
        school_id = _school(options.school).id if options.school else None
        outcome = schools.import_term_dates(_content(options.file), school_id)
    if outcome.problems:
        raise ProblemsError("No dates were imported. Mend the rows below and import the file again.", outcome.problems)
    return {**_plain(outcome), "academic_years": [academic_year_name(year) for year in outcome.years]}


def import_pupils(settings: Settings, options: Namespace) -> dict[str, object]:
    """Import a school's pupil list."""
    with _authority(settings, options.authority):
        school = _school(options.school)
        upload_id = uploads.import_file(
            school.id,
            kind="pupils",
            file_name=options.file.name,
            content=_content(options.file),
            academic_year=options.academic_year,
        )
        summary = _summary_of(_existing_upload(upload_id), school)
    if summary["state"] in _UNREADABLE_STATES or "taken" not in summary:
        sentence = summary["refusal"] or "The file is not a pupil list. It needs columns for surname, forename and date of birth."
        raise ProblemsError(sentence, [summary])
    return summary


def import_marks(settings: Settings, options: Namespace) -> dict[str, object]:
    """Check and apply files of marks, or only preview them. A file that cannot be read makes the exit status 1."""
    if not options.by_filename and not options.school:
        message = "Say which school the files are for with --school URN, or name each file URN.csv and use --by-filename."
        raise ProblemsError(message)
    preview_or_import = uploads.preview if options.rehearse else uploads.import_file
    summaries = []
    with _authority(settings, options.authority):
        for file, school in _files_with_schools(options):
            upload_id = preview_or_import(
                school.id, kind="marks", file_name=file.name, content=_content(file), add_pupils=options.add_pupils
            )
            summaries.append(_summary_of(_existing_upload(upload_id), school))
    totals = {name: sum(int(summary[name]) for summary in summaries) for name in _TOTALLED}
    if any(summary["state"] in _UNREADABLE_STATES for summary in summaries):
        raise ProblemsError("Some files could not be read. Nothing of them was kept in the registers.", summaries)
    return {"rehearsed": options.rehearse, "files": summaries, **totals}


#: States as the documented JSON has always named them.
_STATE_WORDS = {"previewed": "rehearsed", "rejected": "refused", "cancelled": "withdrawn", "reverted": "undone"}
_UNREADABLE_STATES = frozenset({"refused", "needs-mapping"})
_TOTALLED = ("rows_in", "rows_stored", "rows_refused", "missing", "added", "changed", "unchanged")
_MARK_SUFFIXES = frozenset({".csv", ".xlsx", ".xml", ".json"})


def _files_with_schools(options: Namespace) -> list[tuple[Path, School]]:
    """Each file with its school.

    All files and schools are looked for before the first import: a mistyped path would otherwise leave a run half done.
    """
    pairs, problems = [], []
    only_school = None if options.by_filename else _school(options.school)
    for file in _files(options.files, folders=options.by_filename):
        try:
            file.open("rb").close()
        except (OSError, ValueError) as error:
            problems.append(_could_not_open(file, error))
            continue
        school = only_school or school_by_urn(file.stem)
        if school is None:
            problems.append(f"{file.name} is not named by the URN of a school in this authority.")
        else:
            pairs.append((file, school))
    if problems or not pairs:
        problems = problems or ["There is no file of marks in the folder. Name each file URN.csv."]
        raise ProblemsError(problems[0] if len(problems) == 1 else "No file was taken. Mend what is listed first.", problems)
    return pairs


def _files(paths: Sequence[Path], *, folders: bool) -> list[Path]:
    """The files at these paths; with `folders`, also every file of marks inside a folder."""
    files: list[Path] = []
    for path in paths:
        if folders and path.is_dir():
            files += sorted(
                file for file in path.iterdir() if file.suffix.lower() in _MARK_SUFFIXES and not file.name.startswith(".")
            )
        else:
            files.append(path)
    return files


def _existing_upload(upload_id: UUID) -> Upload:
    row = upload(upload_id)
    if row is None:
        message = "The upload is not there any more."
        raise ProblemsError(message)
    return row


def _summary_of(row: Upload, school: School) -> dict[str, Any]:
    """One upload as a JSON object: its state, its counts and its findings."""
    summary: dict[str, Any] = {
        "upload": str(row.id),
        "school": school.urn,
        "file": row.file_name,
        "kind": row.kind,
        "state": _STATE_WORDS.get(row.state, row.state),
        "layout": row.layout,
        "refusal": row.rejection,
        "rows_in": row.rows_in,
        "rows_stored": row.rows_stored,
        "rows_refused": row.rows_rejected,
        "covers_from": row.covers_from,
        "covers_until": row.covers_until,
        "missing": 0,
        "added": 0,
        "changed": 0,
        "unchanged": 0,
    }
    findings = [
        {
            "kind": finding.kind,
            "refused": finding.rejected,
            "sheet": finding.sheet,
            "column": finding.column,
            "rows": finding.rows,
            "value": finding.value,
            "sentence": finding.sentence,
            "count": finding.count,
        }
        for finding in findings_of(row.id)
    ]
    return {**summary, **row.preview, "problems": findings}


def undo_marks(settings: Settings, options: Namespace) -> dict[str, object]:
    """Revert an applied upload, whichever authority it belongs to."""
    try:
        upload_id = UUID(options.upload)
    except ValueError as error:
        message = "Give the upload's id, as `marks import` printed it."
        raise ProblemsError(message) from error
    with _database(settings):
        with unit_of_work(None):
            ids = [authority.id for authority in authorities()]
        # Row security shows one authority at a time, and the id does not say which: so each is tried.
        for authority_id in ids:
            with unit_of_work(command_line_scope(authority_id)):
                if upload(upload_id) is None:
                    continue
                try:
                    uploads.revert(upload_id, options.reason)
                except RefusedError as why:
                    raise ProblemsError(str(why)) from why
                row = _existing_upload(upload_id)
                return {"upload": str(row.id), "state": _STATE_WORDS.get(row.state, row.state), "undone_at": row.reverted_at}
    message = "There is no upload with this id."
    raise ProblemsError(message)


def measures(settings: Settings, options: Namespace) -> dict[str, object]:
    """Counts and rates over the schools, days and population asked for."""
    between = (options.first or date.min, options.last or date.max)
    if between[1] < between[0]:
        raise ProblemsError("Give a last day (--to) that is not before the first (--from).")
    with _authority(settings, options.authority):
        schools_in_scope = [_school(options.school)] if options.school else every_school()
        selected_schools = [school for school in schools_in_scope if options.phase in {None, school.phase}]
        by: Any = "none" if options.by == "code" else options.by
        groups = measured([school.id for school in selected_schools], between=between, by=by, everyone=options.include_all_ages)
    if by == "none":
        groups = {ALL: groups.get(ALL, Measure())}
    return {
        "authority": options.authority,
        "school": options.school,
        "phase": options.phase,
        "from": options.first,
        "to": options.last,
        "by": options.by,
        "population": "every pupil and every mark" if options.include_all_ages else "ages 5 to 15, Year 11 to the May half term",
        "schools": len(selected_schools),
        "groups": groups[ALL].rows_by_code() if options.by == "code" else _groups(groups, options.by, selected_schools),
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


def import_benchmarks(settings: Settings, options: Namespace) -> dict[str, object]:
    """Load a file of published figures."""
    with _database(settings), unit_of_work(platform_scope()):
        outcome = import_file(options.file, name=options.name, published_on=options.published_on, data_to=options.data_to)
    if outcome["problems"]:
        raise ProblemsError("The file was not loaded.", outcome["problems"])
    return outcome


def verify_audit(settings: Settings, options: Namespace) -> dict[str, object]:
    """Read an authority's audit chain from the start."""
    with _authority(settings, options.authority):
        verdict = check_chain()
    if verdict.first_bad is not None:
        raise ProblemsError(f"The chain does not hold at row {verdict.first_bad}: {verdict.why}.", [verdict])
    return {"rows": verdict.rows, "holds": True}


def _plain(value: object) -> Any:
    """A dataclass as a dictionary; anything else as it is."""
    if isinstance(value, dict):
        return value
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value  # type: ignore[call-overload]  # checked on this line
