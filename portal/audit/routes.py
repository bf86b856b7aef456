"""Where the audit is read: the authority's events, newest first, each as a sentence, and whether the chain holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request

from portal.audit.actions import record_alone
from portal.audit.events import declared, event
from portal.audit.queries import recent_events, verification
from portal.permissions import needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("audit", __name__, template_folder="templates")

READ = event("audit.read", "The audit was read", "before")
PAGE = 50


@bp.get("/audit")
@needs("audit.view")
def index() -> ResponseReturnValue:
    """The events, a page at a time by their sequence."""
    asked = request.args.get("before", "")
    if asked and not (asked.isascii() and asked.isdecimal() and len(asked) < 16):  # noqa: PLR2004  digits of a sequence
        abort(400)
    before = int(asked) if asked else None
    rows = recent_events(before=before, limit=PAGE)
    record_alone(READ, None, before=before)
    sentences = {name: one.sentence for name, one in declared().items()}
    older = rows[-1].sequence if len(rows) == PAGE else None
    return render_template("audit/index.html", rows=rows, sentences=sentences, older=older)


@bp.get("/audit/chain")
@needs("audit.view")
def chain() -> ResponseReturnValue:
    """Whether every event is as it was written, and none is missing."""
    return render_template("audit/chain.html", verdict=verification())
