"""`portal marks` and `portal pupils`: send files of marks and pupil lists, and take an upload back.

A pupil list is an upload too, so its command stands here and not beside the pupils, who know nothing of uploads.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from portal.accounts.queries.people import authorities
from portal.accounts.queries.principals import command_line_scope
from portal.db.work import unit_of_work
from portal.platform.command_line import (
    CommandFailedError,
    CommandLine,
    Noun,
    authority_option,
    could_not_open,
    file_argument,
    read_file,
)
from portal.platform.refusals import RefusedError
from portal.schools.commands import school_with_urn
from portal.schools.queries import school_by_urn
from portal.uploads import actions
from portal.uploads.domain.previews import printed
from portal.uploads.domain.reading import sandbox
from portal.uploads.queries import findings_of, upload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.schools.models import School
    from portal.uploads.models import Upload

#: States as the documented JSON has always named them.
_STATE_WORDS = {"previewed": "rehearsed", "rejected": "refused", "cancelled": "withdrawn", "reverted": "undone"}
_UNREADABLE_STATES = frozenset({"refused", "needs-mapping"})
_TOTALLED = ("rows_in", "rows_stored", "rows_refused", "missing", "added", "changed", "unchanged")
_MARK_SUFFIXES = frozenset({".csv", ".xlsx", ".xml", ".json"})


class AcademicYear(click.ParamType[int]):
    """An academic year, written 2025 or 2025/26. Another writing is a problem in the document, not a usage error."""

    name = "year"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ARG002  click's signature
        """Read the year in which it begins."""
        match = re.fullmatch(r"(20[0-9]{2})(?:[/-](?:20)?[0-9]{2})?", str(value).strip())
        if match is None:
            raise CommandFailedError(f"Write the academic year as 2025 or 2025/26, not “{value}”.")
        return int(match[1])


def _start_reader(command_line: CommandLine) -> None:
    """Start the process that reads files. In production it must be one that can do nothing else."""
    try:
        sandbox.start(must_filter=command_line.settings.production)
    except sandbox.UnfilteredError as error:
        raise CommandFailedError(str(error)) from error


@click.group(cls=Noun)
def pupils() -> None:
    """Import pupil lists."""


@pupils.command("import")
@authority_option
@click.option("--school", required=True, metavar="URN", help="the school whose list it is")
@click.option(
    "--academic-year", type=AcademicYear(), metavar="YEAR", help="2025 for 2025/26; found from the pupils' ages when left out"
)
@file_argument
@click.pass_obj
def import_pupils(
    command_line: CommandLine, *, authority: str, school: str, academic_year: int | None, file: Path
) -> dict[str, object]:
    """Import a school's pupil list."""
    _start_reader(command_line)
    with command_line.authority(authority):
        pupils_school = school_with_urn(school)
        upload_id = actions.import_file(
            pupils_school.id, kind="pupils", file_name=file.name, content=read_file(file), academic_year=academic_year
        )
        summary = _summary_of(_existing_upload(upload_id), pupils_school)
    if summary["state"] in _UNREADABLE_STATES or "taken" not in summary:
        sentence = summary["refusal"] or "The file is not a pupil list. It needs columns for surname, forename and date of birth."
        raise CommandFailedError(sentence, [summary])
    return summary


@click.group(cls=Noun)
def marks() -> None:
    """Check and apply files of marks, and take an upload back."""


@marks.command("import")
@authority_option
@click.option("--school", metavar="URN", help="the school the files are for")
@click.option("--by-filename", is_flag=True, help="each file is named URN.csv; a folder is taken whole")
@click.option("--preview", "--rehearse", is_flag=True, help="preview what would happen, and change no register")
@click.option("--add-pupils", is_flag=True, help="pupils not on the roll yet join it from the file")
@click.argument("files", metavar="FILE...", type=Path, nargs=-1, required=True)
@click.pass_obj
def import_marks(
    command_line: CommandLine,
    *,
    authority: str,
    school: str | None,
    by_filename: bool,
    preview: bool,
    add_pupils: bool,
    files: Sequence[Path],
) -> dict[str, object]:
    """Check and apply files of marks. A file that cannot be read makes the exit status 1."""
    if not by_filename and not school:
        message = "Say which school the files are for with --school URN, or name each file URN.csv and use --by-filename."
        raise CommandFailedError(message)
    preview_or_import = actions.preview if preview else actions.import_file
    summaries = []
    _start_reader(command_line)
    with command_line.authority(authority):
        for file, school_of_file in _files_with_schools(files, None if by_filename else school):
            upload_id = preview_or_import(
                school_of_file.id, kind="marks", file_name=file.name, content=read_file(file), add_pupils=add_pupils
            )
            summaries.append(_summary_of(_existing_upload(upload_id), school_of_file))
    totals = {name: sum(int(summary[name]) for summary in summaries) for name in _TOTALLED}
    if any(summary["state"] in _UNREADABLE_STATES for summary in summaries):
        raise CommandFailedError("Some files could not be read. None of their marks are in the registers.", summaries)
    return {"rehearsed": preview, "files": summaries, **totals}


@marks.command()
@click.argument("upload_text", metavar="UPLOAD")
@click.option("--reason", default="Undone from the command line.", show_default=True, help="kept in the audit")
@click.pass_obj
def revert(command_line: CommandLine, *, upload_text: str, reason: str) -> dict[str, object]:
    """Take an applied upload back, whichever authority it belongs to."""
    try:
        upload_id = UUID(upload_text)
    except ValueError as error:
        message = "Give the upload's id, as `marks import` printed it."
        raise CommandFailedError(message) from error
    with command_line.database():
        with unit_of_work(None):
            ids = [authority.id for authority in authorities()]
        # Row security shows one authority at a time, and the id does not say which: so each is tried.
        for authority_id in ids:
            with unit_of_work(command_line_scope(authority_id)):
                if upload(upload_id) is None:
                    continue
                try:
                    actions.revert(upload_id, reason)
                except RefusedError as why:
                    raise CommandFailedError(str(why)) from why
                row = _existing_upload(upload_id)
                return {"upload": str(row.id), "state": _state_words(row), "undone_at": row.reverted_at}
    message = "There is no upload with this id."
    raise CommandFailedError(message)


# The older word for it, which feeds have in their scripts.
marks.add_command(revert, "undo")


def _files_with_schools(paths: Sequence[Path], only_urn: str | None) -> list[tuple[Path, School]]:
    """Each file with its school: that of `only_urn`, or else the one that names the file.

    All files and schools are looked for before the first import: a mistyped path would otherwise leave a run half done.
    """
    pairs, problems = [], []
    only_school = school_with_urn(only_urn) if only_urn else None
    for file in _files(paths, folders=only_school is None):
        try:
            file.open("rb").close()
        except (OSError, ValueError) as error:
            problems.append(could_not_open(file, error))
            continue
        school = only_school or school_by_urn(file.stem)
        if school is None:
            problems.append(f"{file.name} is not named by the URN of a school in this authority.")
        else:
            pairs.append((file, school))
    if problems or not pairs:
        problems = problems or ["There is no file of marks in the folder. Name each file URN.csv."]
        raise CommandFailedError(
            problems[0] if len(problems) == 1 else "No file was imported. Correct what is listed first.", problems
        )
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


def _state_words(row: Upload) -> str:
    return _STATE_WORDS.get(row.state, row.state)


def _existing_upload(upload_id: UUID) -> Upload:
    row = upload(upload_id)
    if row is None:
        message = "The upload is not there any more."
        raise CommandFailedError(message)
    return row


def _summary_of(row: Upload, school: School) -> dict[str, Any]:
    """One upload as a JSON object: its state, its counts and its findings."""
    summary: dict[str, Any] = {
        "upload": str(row.id),
        "school": school.urn,
        "file": row.file_name,
        "kind": row.kind,
        "state": _state_words(row),
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
    return {**summary, **printed(row.preview, row.file_columns), "problems": findings}
