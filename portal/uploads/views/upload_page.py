"""Template context of the upload pages, and the column mapping form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portal.platform.lifecycle import Owner
from portal.schools.queries import school
from portal.uploads import queries
from portal.uploads.domain.kinds import Kind
from portal.uploads.domain.lifecycle import UPLOAD, UploadState, UploadStep
from portal.uploads.domain.previews import MarksPreview
from portal.uploads.domain.reading.headings import MEANINGS
from portal.web.fields import SelectField, choices
from portal.web.formats import plural
from portal.web.forms import Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from portal.platform.lifecycle import Step
    from portal.uploads.domain.reading.result import Column
    from portal.uploads.models import Upload

#: The name of each layout on the page.
LAYOUTS = {
    "long": "a list with a row for each mark",
    "weekly-grid": "a weekly grid",
    "date-matrix": "a register with a column for each day",
    "ctf": "a Common Transfer File",
    "wonde": "a JSON feed",
    "pupil-list": "a pupil list",
    "census-xml": "a school census",
    "census-csv": "a school census table",
    "dfe-weekly": "the Department for Education’s weekly pupil attendance file",
}


def template(upload: Upload) -> str:
    """The template of the page of an upload: each state has its own."""
    is_working = UPLOAD.state(upload.state).owner is Owner.PORTAL
    name = "stopped" if is_working and queries.has_failed(upload.id) else upload.state
    return f"uploads/states/{name}.html"


def upload_context(upload: Upload, can: Callable[[str], bool]) -> dict[str, Any]:
    """The template context of the page of an upload, in any state."""
    findings = queries.findings_of(upload.id)
    return {
        "upload": upload,
        "school": school(upload.school_id),
        "preview": upload.preview,
        "marks": upload.preview if isinstance(upload.preview, MarksPreview) else MarksPreview(),
        "lists": queries.preview_lists_of(upload.id),
        "layout": LAYOUTS.get(upload.layout or "", "not read"),
        "refusals": [finding for finding in findings if finding.rejected],
        "notes": [finding for finding in findings if not finding.rejected],
        "progress": queries.progress_of(upload.id),
        "steps": steps(upload, can),
        "timeline": _timeline(upload),
    }


def steps(upload: Upload, can: Callable[[str], bool]) -> list[Step]:
    """The steps a person may take now, without those that make no sense for this file."""
    unfit = {
        UploadStep.REQUEST_APPLY: not upload.rows_stored,
        UploadStep.MAP: upload.file_columns is None or not upload.file_columns.columns,
        UploadStep.REVERT: upload.kind != Kind.MARKS,
    }
    return [
        replace(step, words=_apply_words(upload)) if step.name == UploadStep.REQUEST_APPLY else step
        for step in UPLOAD.steps_from(upload.state, can)
        if not unfit.get(UploadStep(step.name))
    ]


def _apply_words(upload: Upload) -> str:
    """What the button does. Marks that are on the portal already are no change, and a person is to know how many there are."""
    words = UPLOAD.step(UploadStep.REQUEST_APPLY).words
    if not isinstance(upload.preview, MarksPreview):
        return f"{words} {plural(upload.rows_stored, 'row')}"
    count = upload.preview.added + upload.preview.changed
    return f"Make {plural(count, 'change')}" if count else f"{words} without a change"


def _timeline(upload: Upload) -> list[dict[str, str]]:
    """What has happened to an upload, what is under way, and what is still to come."""
    milestones = {
        "Received": True,
        "Checked and previewed": upload.preview is not None,
        "Applied": bool(upload.applied_at),
    }
    done = [{"title": title, "state": "done"} for title, reached in milestones.items() if reached]
    state = UPLOAD.state(upload.state)
    if state.final and state.name != UploadState.APPLIED:
        return [*done, {"title": state.words, "state": "done"}]
    to_come = [title for title, reached in milestones.items() if not reached]
    return [*done, *({"title": title, "state": "next" if index else "now"} for index, title in enumerate(to_come))]


def columns_form(upload: Upload) -> Any:
    """The column mapping form: one select for each column, with the proposed meaning selected."""
    columns = upload.file_columns.columns if upload.file_columns else ()
    meanings = choices([("", "Not used"), *MEANINGS.items()])

    def mapping(form: Form) -> dict[str, str]:
        pairs = [(column.header, form[f"column-{index}"].data or "") for index, column in enumerate(columns)]
        # Where two columns have the same heading, the one with a meaning comes last and stays in the dict.
        return dict(sorted(pairs, key=lambda pair: bool(pair[1])))

    fields = {
        f"column-{index}": SelectField(
            column.header or f"Column {index + 1}", choices=meanings, default=column.meaning or "", hint=_samples(column)
        )
        for index, column in enumerate(columns)
    }
    return type("MapColumns", (Form,), {**fields, "mapping": mapping})()


def _samples(column: Column) -> str:
    samples = [sample for sample in column.samples if sample.strip()][:3]
    return f"For example: {', '.join(samples)}" if samples else "This column is empty."


def missing_meanings(upload: Upload) -> list[str]:
    """The labels of the required meanings that no column has yet."""
    missing = upload.file_columns.missing_meanings if upload.file_columns else ()
    return [MEANINGS.get(meaning, meaning) for meaning in missing]
