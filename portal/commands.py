"""What each command does: open the database and the scope, call the pages' own queries and actions, answer plainly."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import migrations
from portal import db, embedded
from portal.accounts import actions as accounts
from portal.accounts.queries import authorities, authority_by_slug, command_line, platform_scope
from portal.audit.queries import verification
from portal.benchmarks.actions import import_file, load_shipped
from portal.demonstration.actions import make_demonstration
from portal.pupils.incoming import YEAR_GROUPS
from portal.registers.measures import ALL, Measure, document
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
    """A command could not do its work: a sentence, and the problems one by one."""

    def __init__(self, sentence: str, problems: Sequence[object] = ()) -> None:
        """Keep the problems beside the sentence."""
        super().__init__(sentence)
        self.problems = [_plain(one) for one in problems]


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The running portal's database, or the embedded one started for this command; at this version."""
    with embedded.servers(settings) as found:
        owner = migrations.owner_engine(found.owner_url)
        if migrations.current(owner) != migrations.head():
            migrations.upgrade(found.owner_url)
        owner.dispose()
        engine = db.connect(found.app_url, patient=True)
        try:
            yield found.owner_url
        finally:
            engine.dispose()


@contextmanager
def _authority(settings: Settings, slug: str) -> Iterator[UUID]:
    """A unit of work in an authority's scope, as the command line."""
    with _database(settings):
        with db.unit_of_work(None):
            found = authority_by_slug(slug)
        if found is None:
            message = f"There is no authority {slug}. Add it with: portal authority add {slug} --name NAME --la-code CODE"
            raise ProblemsError(message)
        with db.unit_of_work(command_line(found.id)):
            yield found.id


def _school(urn: str) -> School:
    found = school_by_urn(urn)
    if found is None:
        message = f"There is no school with URN {urn} in this authority. Import the list of schools first."
        raise ProblemsError(message)
    return found


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:
        raise ProblemsError(_not_opened(file, error)) from error


def _not_opened(file: Path, error: OSError | ValueError) -> str:
    why = getattr(error, "strerror", None) or "no reason given"
    return f"{file.name or file} could not be opened: {why.lower()}."


def migrate(settings: Settings, _chosen: Namespace) -> dict[str, object]:
    """Bring the database to this version, and load the published figures that come with it."""
    with _database(settings), db.unit_of_work(platform_scope()):
        accounts.ensure_platform()
        return {"at": migrations.head(), "published_figures_loaded": load_shipped()}


def demonstration(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Make the demonstration authority and its neighbour."""
    with _database(settings) as owner_url:
        return make_demonstration(
            schools=chosen.schools, pupils=chosen.pupils, if_empty=chosen.if_empty, reset=chosen.reset, owner_url=owner_url
        )


def add_authority(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Add an authority."""
    _refuse_odd_authority(chosen.slug, chosen.name, chosen.la_code)
    with _database(settings), db.unit_of_work(command_line()):
        try:
            added = accounts.add_authority(chosen.slug, chosen.name, chosen.la_code)
        except accounts.TakenError as taken:
            raise ProblemsError(str(taken)) from taken
        return {"authority": {"id": added.id, "slug": added.slug, "name": added.name, "la_code": added.la_code}}


def _refuse_odd_authority(slug: str, name: str, la_code: str) -> None:
    problems = []
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}", slug) is None:
        problems.append("Enter a short name of letters, digits and hyphens, at most 60, for example northshire.")
    if not name.strip():
        problems.append("Enter the authority's name.")
    if re.fullmatch(r"[0-9]{3}", la_code) is None:
        problems.append("Enter the LA code as 3 digits, as GIAS shows it.")
    if problems:
        raise ProblemsError("The authority was not added.", problems)


def import_schools(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Import a list of schools."""
    with _authority(settings, chosen.authority):
        done = schools.import_schools(_content(chosen.file))
    if done.problems and not done.added + done.changed + done.unchanged:
        raise ProblemsError("No school was imported. Mend the rows below and import the file again.", done.problems)
    return dict(_plain(done))


def import_term_dates(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Import term dates for the authority, or for one school."""
    with _authority(settings, chosen.authority):
        school_id = _school(chosen.school).id if chosen.school else None
        done = schools.import_term_dates(_content(chosen.file), school_id)
    if done.problems:
        raise ProblemsError("No dates were imported. Mend the rows below and import the file again.", done.problems)
    return {**_plain(done), "academic_years": [academic_year_name(year) for year in done.years]}


def import_pupils(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Import a school's pupil list."""
    with _authority(settings, chosen.authority):
        school = _school(chosen.school)
        upload_id = uploads.take(
            school.id, kind="pupils", file_name=chosen.file.name, content=_content(chosen.file), academic_year=chosen.academic_year
        )
        told = _told(_found(upload_id), school)
    if told["state"] in _UNREAD or "taken" not in told:
        sentence = told["refusal"] or "The file is not a pupil list. It needs columns for surname, forename and date of birth."
        raise ProblemsError(sentence, [told])
    return told


def import_marks(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Check and apply files of marks, or only rehearse them. A file refused whole makes the exit status 1."""
    if not chosen.by_filename and not chosen.school:
        message = "Say which school the files are for with --school URN, or name each file URN.csv and use --by-filename."
        raise ProblemsError(message)
    do = uploads.rehearse if chosen.rehearse else uploads.take
    told = []
    with _authority(settings, chosen.authority):
        for file, school in _placed(chosen):
            upload_id = do(school.id, kind="marks", file_name=file.name, content=_content(file), add_pupils=chosen.add_pupils)
            told.append(_told(_found(upload_id), school))
    totals = {name: sum(int(one[name]) for one in told) for name in _SUMMED}
    if any(one["state"] in _UNREAD for one in told):
        raise ProblemsError("Some files could not be read. Nothing of them was kept in the registers.", told)
    return {"rehearsed": chosen.rehearse, "files": told, **totals}


_UNREAD = frozenset({"refused", "needs-mapping"})
_SUMMED = ("rows_in", "rows_stored", "rows_refused", "missing", "added", "changed", "unchanged")
_OF_MARKS = frozenset({".csv", ".xlsx", ".xml", ".json"})


def _placed(chosen: Namespace) -> list[tuple[Path, School]]:
    """Each file with its school. Every file and school is looked for first: with one not there, no file is taken."""
    placed, problems = [], []
    own = None if chosen.by_filename else _school(chosen.school)
    for file in _files(chosen.files, folders=chosen.by_filename):
        try:
            file.open("rb").close()
        except (OSError, ValueError) as error:
            problems.append(_not_opened(file, error))
            continue
        school = own or school_by_urn(file.stem)
        if school is None:
            problems.append(f"{file.name} is not named by the URN of a school in this authority.")
        else:
            placed.append((file, school))
    if problems or not placed:
        problems = problems or ["There is no file of marks in the folder. Name each file URN.csv."]
        raise ProblemsError(problems[0] if len(problems) == 1 else "No file was taken. Mend what is listed first.", problems)
    return placed


def _files(given: Sequence[Path], *, folders: bool) -> list[Path]:
    """The files named, and with `folders` every file of marks in the folders named."""
    found: list[Path] = []
    for one in given:
        if folders and one.is_dir():
            found += sorted(file for file in one.iterdir() if file.suffix.lower() in _OF_MARKS and not file.name.startswith("."))
        else:
            found.append(one)
    return found


def _found(upload_id: UUID) -> Upload:
    row = upload(upload_id)
    if row is None:
        message = "The upload is not there any more."
        raise ProblemsError(message)
    return row


def _told(row: Upload, school: School) -> dict[str, Any]:
    """One upload as the page says it."""
    told: dict[str, Any] = {
        "upload": str(row.id),
        "school": school.urn,
        "file": row.file_name,
        "kind": row.kind,
        "state": row.state,
        "layout": row.layout,
        "refusal": row.refusal,
        "rows_in": row.rows_in,
        "rows_stored": row.rows_stored,
        "rows_refused": row.rows_refused,
        "covers_from": row.covers_from,
        "covers_until": row.covers_until,
        "missing": 0,
        "added": 0,
        "changed": 0,
        "unchanged": 0,
    }
    findings = [
        {"kind": one.kind, "refused": one.refused, "sheet": one.sheet, "column": one.column, "rows": one.rows, "value": one.value,
         "sentence": one.sentence, "count": one.count}
        for one in findings_of(row.id)
    ]  # fmt: skip
    return {**told, **row.rehearsal, "problems": findings}


def undo_marks(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Take an applied upload back, whichever authority it belongs to."""
    try:
        upload_id = UUID(chosen.upload)
    except ValueError as error:
        message = "Give the upload's id, as `marks import` printed it."
        raise ProblemsError(message) from error
    with _database(settings):
        with db.unit_of_work(None):
            ids = [one.id for one in authorities()]
        for authority_id in ids:
            with db.unit_of_work(command_line(authority_id)):
                if upload(upload_id) is None:
                    continue
                try:
                    uploads.undo(upload_id, chosen.reason)
                except uploads.NotNowError as why:
                    raise ProblemsError(str(why)) from why
                row = _found(upload_id)
                return {"upload": str(row.id), "state": row.state, "undone_at": row.undone_at}
    message = "There is no upload with this id."
    raise ProblemsError(message)


def measures(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Counts and rates over the schools, days and population asked for."""
    between = (chosen.first or date.min, chosen.last or date.max)
    if between[1] < between[0]:
        raise ProblemsError("Give a last day (--to) that is not before the first (--from).")
    with _authority(settings, chosen.authority):
        found = [_school(chosen.school)] if chosen.school else every_school()
        chosen_schools = [one for one in found if chosen.phase in {None, one.phase}]
        by: Any = "none" if chosen.by == "code" else chosen.by
        groups = measured([one.id for one in chosen_schools], between=between, by=by, everyone=chosen.include_all_ages)
    if by == "none":
        groups = {ALL: groups.get(ALL, Measure())}
    return {
        "authority": chosen.authority,
        "school": chosen.school,
        "phase": chosen.phase,
        "from": chosen.first,
        "to": chosen.last,
        "by": chosen.by,
        "population": "every pupil and every mark" if chosen.include_all_ages else "ages 5 to 15, Year 11 to the May half term",
        "schools": len(chosen_schools),
        "groups": groups[ALL].by_letters() if chosen.by == "code" else _groups(groups, chosen.by, chosen_schools),
    }


def _groups(groups: Mapping[str, Measure], by: str, chosen: Sequence[School]) -> list[dict[str, object]]:
    """The groups as people know and order them: schools by URN, year groups from Nursery up, weeks and months by date.

    A group without a mark in the population asked for is left out: no Reception in the headline, no silent school.
    """
    held = {group: measure for group, measure in groups.items() if measure.by_code.any() or group == ALL}
    if by == "school":
        named = [
            (one.urn, {"urn": one.urn, "name": one.name, "phase": one.phase, "school_id": str(one.id)}, held.get(str(one.id)))
            for one in sorted(chosen, key=lambda one: one.urn)
        ]
        return [document(urn, measure, by=by, more=more) for urn, more, measure in named if measure is not None]
    order = {group: place for place, group in enumerate(YEAR_GROUPS)} if by == "year-group" else {}
    return [document(group, held[group], by=by) for group in sorted(held, key=lambda one: (order.get(one, len(order)), one))]


def import_benchmarks(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Load a file of published figures."""
    with _database(settings), db.unit_of_work(platform_scope()):
        done = import_file(chosen.file, name=chosen.name, published_on=chosen.published_on, data_to=chosen.data_to)
    if done["problems"]:
        raise ProblemsError("The file was not loaded.", done["problems"])
    return done


def verify_audit(settings: Settings, chosen: Namespace) -> dict[str, object]:
    """Read an authority's audit chain from the start."""
    with _authority(settings, chosen.authority):
        verdict = verification()
    if verdict.first_bad is not None:
        raise ProblemsError(f"The chain does not hold at row {verdict.first_bad}: {verdict.why}.", [verdict])
    return {"rows": verdict.rows, "holds": True}


def _plain(value: object) -> Any:
    """A frozen answer as plain values."""
    if isinstance(value, dict):
        return value
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value  # type: ignore[call-overload]  # asked just before
