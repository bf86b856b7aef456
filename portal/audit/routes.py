"""Where the audit is read: the authority's events, newest first, each as a sentence, and whether the chain holds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, abort, current_app, render_template, request

from portal.audit.actions import record_alone
from portal.audit.events import declared, event
from portal.audit.queries import MEMBER_NAMES, recent_events, verification
from portal.permissions import ROLES, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("audit", __name__, template_folder="templates")

READ = event("audit.read", "The audit was read", "before", "about")
PAGE = 50


@bp.get("/audit")
@needs("audit.view")
def index() -> ResponseReturnValue:
    """The events, or those about one record, a page at a time by their sequence: who did each, in which role, and when."""
    asked = request.args.get("before", "")
    if asked and not (asked.isascii() and asked.isdecimal() and len(asked) < 16):  # noqa: PLR2004  digits of a sequence
        abort(400)
    before, about = int(asked) if asked else None, request.args.get("about", type=UUID)
    rows = recent_events(before=before, about=about, limit=PAGE)
    record_alone(READ, None, before=before, about=str(about) if about else None)
    return render_template(
        "audit/index.html",
        rows=rows,
        about=about,
        sentences={name: one.sentence for name, one in declared().items()},
        people=current_app.extensions[MEMBER_NAMES]({row.membership_id for row in rows if row.membership_id}),
        roles={role.value: name for role, (name, _) in ROLES.items()},
        older=rows[-1].sequence if len(rows) == PAGE else None,
    )


@bp.get("/audit/chain")
@needs("audit.view")
def chain() -> ResponseReturnValue:
    """Whether every event is as it was written, and none is missing."""
    return render_template("audit/chain.html", verdict=verification())
