"""What the upload pages show: an upload with its rehearsal put into words, and the form for what columns mean."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from portal.rules.codes import BY_LETTERS
from portal.schools.queries import school
from portal.uploads import queries
from portal.uploads.reading import MEANINGS
from portal.web.fields import Form, SelectField, choices

if TYPE_CHECKING:
    from portal.uploads.models import Upload

#: Each layout as the page names it.
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
STEPS = (("received", "Received"), ("rehearsed", "Checked and rehearsed"), ("applied", "Applied"))
_REACHED = {
    "received": 0,
    "needs-mapping": 0,
    "rehearsed": 1,
    "applying": 1,
    "applied": 2,
    "undone": 2,
    "refused": 0,
    "withdrawn": 0,
}


def shown(upload: Upload) -> dict[str, Any]:
    """Everything the page of one upload needs, whatever its state."""
    told: dict[str, Any] = upload.rehearsal
    findings = queries.findings_of(upload.id)
    return {
        "upload": upload,
        "school": school(upload.school_id),
        "told": told,
        "layout": LAYOUTS.get(upload.layout or "", "not read yet"),
        "refusals": [one for one in findings if one.refused],
        "notes": [one for one in findings if not one.refused],
        "changes": [(_code(one["from"]), _code(one["to"]), one["count"]) for one in told.get("changes", ())],
        "weeks": [{**one, "week": date.fromisoformat(one["week"])} for one in told.get("weeks", ())],
        "complete_weeks": [date.fromisoformat(one) for one in told.get("complete_weeks", ())],
        "same_as_at": datetime.fromisoformat(told["same_as_received_at"]) if told.get("same_as_received_at") else None,
        "progress": queries.progress_of(upload.id),
        "set_aside": upload.state in {"received", "applying"} and queries.has_failed(upload.id),
        "steps": _steps(upload),
    }


def _code(letters: str) -> str:
    return f"{letters} ({BY_LETTERS[letters].meaning})"


def _steps(upload: Upload) -> list[dict[str, str]]:
    """The life of the upload as the page's timeline shows it."""
    reached = _REACHED[upload.state]
    steps = [
        {"title": words, "state": "done" if place <= reached else "now" if place == reached + 1 else "next"}
        for place, (_, words) in enumerate(STEPS)
    ]
    if upload.state in {"refused", "withdrawn", "undone"}:
        steps = [
            *steps[: reached + 1],
            {"title": {"refused": "Refused", "withdrawn": "Withdrawn", "undone": "Undone"}[upload.state], "state": "done"},
        ]
    return steps


def columns_form(upload: Upload) -> Any:
    """A select for each of the file's columns, with what was proposed already chosen."""
    found: list[dict[str, Any]] = upload.rehearsal.get("columns", [])  # type: ignore[assignment]  # plain JSON, written by `check`
    offered = choices([("", "Not used"), *MEANINGS.items()])

    def mapping(form: Form) -> dict[str, str]:
        chosen = [(one["header"], form[f"column-{place}"].data or "") for place, one in enumerate(found)]
        return dict(sorted(chosen, key=lambda pair: bool(pair[1])))

    fields = {
        f"column-{place}": SelectField(
            one["header"] or f"Column {place + 1}", choices=offered, default=one.get("meaning") or "", hint=_samples(one)
        )
        for place, one in enumerate(found)
    }
    return type("SayColumns", (Form,), {**fields, "mapping": mapping})()


def _samples(column: dict[str, Any]) -> str:
    seen = [str(one) for one in column.get("samples", ()) if str(one).strip()][:3]
    return f"For example: {', '.join(seen)}" if seen else "This column is empty."


def lacking_words(upload: Upload) -> list[str]:
    """What no column of the file has yet, in the words of the choices."""
    lacking: list[str] = upload.rehearsal.get("lacking", [])  # type: ignore[assignment]  # plain JSON, written by `check`
    return [MEANINGS.get(one, one) for one in lacking]
