"""The pages of the audit: the authority's events and reads as sentences, and the check of both."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, current_app, render_template, request

from portal.audit.actions import record_alone
from portal.audit.events import declared, event
from portal.audit.queries import MEMBER_NAMES, EntryKey, check_chain, check_reads, recent_entries
from portal.security.permissions import ROLES, needs
from portal.web.paging import position_in

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

bp = Blueprint("audit", __name__, template_folder="templates")

READ = event("audit.read", "The audit log was read", "before", "about")


@bp.get("/audit")
@needs("audit.view")
def index() -> ResponseReturnValue:
    """Show a page of events and reads: all of them, or those about one record."""
    position, about = position_in(request.args, EntryKey.from_text), request.args.get("about", type=UUID)
    page = recent_entries(position, about=about)
    record_alone(READ, None, before=str(position.row_id) if position.row_id else None, about=about)
    return render_template(
        "audit/index.html",
        page=page,
        about=about,
        sentences={name: declaration.sentence for name, declaration in declared().items()},
        people=current_app.extensions[MEMBER_NAMES]({row.membership_id for row in page.items if row.membership_id}),
        roles={role.value: name for role, (name, _) in ROLES.items()},
    )


@bp.get("/audit/chain")
@needs("audit.view")
def chain() -> ResponseReturnValue:
    """Show whether every event and every read is as it was written and none is missing."""
    return render_template("audit/chain.html", verdict=check_chain(), reads=check_reads())
