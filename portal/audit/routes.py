"""The pages of the audit: the authority's events as sentences, newest first, and the check of the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, abort, current_app, render_template, request

from portal.audit.actions import record_alone
from portal.audit.events import declared, event
from portal.audit.queries import MEMBER_NAMES, check_chain, recent_events
from portal.security.permissions import ROLES, needs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("audit", __name__, template_folder="templates")

READ = event("audit.read", "The audit log was read", "before", "about")
PAGE_SIZE = 50


@bp.get("/audit")
@needs("audit.view")
def index() -> ResponseReturnValue:
    """Show a page of events: all of them, or those about one record."""
    typed = request.args.get("before", "")
    # A sequence number is a 64-bit integer: a longer one would fail in the database.
    if typed and not (typed.isascii() and typed.isdecimal() and len(typed) < 16):
        abort(400)
    before, about = int(typed) if typed else None, request.args.get("about", type=UUID)
    rows = recent_events(before=before, about=about, limit=PAGE_SIZE)
    record_alone(READ, None, before=before, about=str(about) if about else None)
    return render_template(
        "audit/index.html",
        rows=rows,
        about=about,
        sentences={name: declaration.sentence for name, declaration in declared().items()},
        people=current_app.extensions[MEMBER_NAMES]({row.membership_id for row in rows if row.membership_id}),
        roles={role.value: name for role, (name, _) in ROLES.items()},
        older=rows[-1].sequence if len(rows) == PAGE_SIZE else None,
    )


@bp.get("/audit/chain")
@needs("audit.view")
def chain() -> ResponseReturnValue:
    """Show whether every event is as it was written and none is missing."""
    return render_template("audit/chain.html", verdict=check_chain())
