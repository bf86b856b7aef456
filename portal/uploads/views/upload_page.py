"""Template context of the upload pages, and the column mapping form."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from portal.rules.codes import CODES_BY_SYMBOL
from portal.schools.queries import school
from portal.uploads import queries
from portal.uploads.domain.reading.headings import MEANINGS
from portal.web.fields import SelectField, choices
from portal.web.forms import Form

if TYPE_CHECKING:
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
STEPS = (("received", "Received"), ("previewed", "Checked and previewed"), ("applied", "Applied"))
_REACHED = {
    "received": 0,
    "needs-mapping": 0,
    "previewed": 1,
    "applying": 1,
    "applied": 2,
    "reverted": 2,
    "rejected": 0,
    "cancelled": 0,
}


def upload_context(upload: Upload) -> dict[str, Any]:
    """The template context of the page of an upload, in any state."""
    preview: dict[str, Any] = upload.preview
    findings = queries.findings_of(upload.id)
    return {
        "upload": upload,
        "school": school(upload.school_id),
        "told": preview,
        "layout": LAYOUTS.get(upload.layout or "", "not read yet"),
        "refusals": [finding for finding in findings if finding.rejected],
        "notes": [finding for finding in findings if not finding.rejected],
        "changes": [(_code(change["from"]), _code(change["to"]), change["count"]) for change in preview.get("changes", ())],
        "weeks": [{**counts, "week": date.fromisoformat(counts["week"])} for counts in preview.get("weeks", ())],
        "complete_weeks": [date.fromisoformat(week) for week in preview.get("complete_weeks", ())],
        "same_as_at": datetime.fromisoformat(preview["same_as_received_at"]) if preview.get("same_as_received_at") else None,
        "progress": queries.progress_of(upload.id),
        "set_aside": upload.state in {"received", "applying"} and queries.has_failed(upload.id),
        "steps": _steps(upload),
    }


def _code(letters: str) -> str:
    return f"{letters} – {CODES_BY_SYMBOL[letters].meaning}"


def _steps(upload: Upload) -> list[dict[str, str]]:
    """The steps of an upload for the timeline of the page."""
    reached = _REACHED[upload.state]
    steps = [
        {"title": words, "state": "done" if index <= reached else "now" if index == reached + 1 else "next"}
        for index, (_, words) in enumerate(STEPS)
    ]
    if upload.state in {"rejected", "cancelled", "reverted"}:
        steps = [
            *steps[: reached + 1],
            {
                "title": {"rejected": "Could not be read", "cancelled": "Cancelled", "reverted": "Undone"}[upload.state],
                "state": "done",
            },
        ]
    return steps


def columns_form(upload: Upload) -> Any:
    """The column mapping form: one select for each column, with the proposed meaning selected."""
    preview: dict[str, Any] = upload.preview
    columns: list[dict[str, Any]] = preview.get("columns", [])
    meanings = choices([("", "Not used"), *MEANINGS.items()])

    def mapping(form: Form) -> dict[str, str]:
        pairs = [(column["header"], form[f"column-{index}"].data or "") for index, column in enumerate(columns)]
        # Where two columns have the same heading, the one with a meaning comes last and stays in the dict.
        return dict(sorted(pairs, key=lambda pair: bool(pair[1])))

    fields = {
        f"column-{index}": SelectField(
            column["header"] or f"Column {index + 1}", choices=meanings, default=column.get("meaning") or "", hint=_samples(column)
        )
        for index, column in enumerate(columns)
    }
    return type("MapColumns", (Form,), {**fields, "mapping": mapping})()


def _samples(column: dict[str, Any]) -> str:
    samples = [str(sample) for sample in column.get("samples", ()) if str(sample).strip()][:3]
    return f"For example: {', '.join(samples)}" if samples else "This column is empty."


def missing_meanings(upload: Upload) -> list[str]:
    """The labels of the required meanings that no column has yet."""
    preview: dict[str, Any] = upload.preview
    return [MEANINGS.get(meaning, meaning) for meaning in preview.get("lacking", ())]
