"""The routes of the web layer: home, static files, help for each role, accessibility and privacy."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, abort, current_app, render_template, request

from portal.platform import clock
from portal.rules.codes import CATEGORY_NAMES, CODES, Code
from portal.security import scope
from portal.security.permissions import ROLES, Role, for_anyone_signed_in, open_to_all
from portal.web import assets
from portal.web.templating import school_names

#: How long a copy of security.txt holds that someone keeps.
SECURITY_TXT_VALIDITY = timedelta(days=180)
#: The days the accessibility statement was written and last checked against the pages. It must be checked every year.
STATEMENT_PREPARED = date(2026, 11, 25)
STATEMENT_REVIEWED = date(2026, 11, 25)

bp = Blueprint("web", __name__, template_folder="templates")


@bp.get("/")
@for_anyone_signed_in
def home() -> str:
    """The start page, with the links the person's role has."""
    current = scope.current_or_none()
    # Only people bound to schools read their names here: an authority's officer reaches all of them.
    own = list(school_names().values()) if current is not None and current.schools else []
    return render_template("web/home.html", own=own)


@bp.get("/static/<name>")
@open_to_all
def static(name: str) -> Response:
    """A style, a script, an icon or the licences."""
    return assets.serve(name)


@bp.get("/help")
@open_to_all
def help_index() -> str:
    """The guides, one for each role."""
    return render_template("web/help.html", roles=ROLES)


@bp.get("/help/<role>")
@open_to_all
def guide(role: str) -> str:
    """The guide for one role."""
    if role not in set(Role):
        abort(404)
    name, purpose = ROLES[Role(role)]
    return render_template(f"web/guides/{role}.html", name=name, purpose=purpose)


@bp.get("/help/codes")
@open_to_all
def codes() -> str:
    """Every register code in words, by the category it counts in."""
    return render_template("web/codes.html", groups=_codes_by_category())


@bp.get("/accessibility")
@open_to_all
def accessibility() -> str:
    """The accessibility statement."""
    return render_template("web/accessibility.html", prepared=STATEMENT_PREPARED, reviewed=STATEMENT_REVIEWED)


@bp.get("/privacy")
@open_to_all
def privacy() -> str:
    """How the portal uses personal information."""
    return render_template("web/privacy.html")


@bp.get("/.well-known/security.txt")
@open_to_all
def security_txt() -> Response:
    """Where to report a weakness (RFC 9116). It says until when it holds, and is always fresh."""
    settings = current_app.config["PORTAL"]
    contact = settings.security_contact or settings.mail_from
    lines = (
        f"Contact: {contact if contact.startswith('https://') else f'mailto:{contact}'}",
        f"Expires: {clock.now() + SECURITY_TXT_VALIDITY:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.address}{request.path}",
    )
    return Response("\n".join((*lines, "")), mimetype="text/plain")


def _codes_by_category() -> dict[str, list[Code]]:
    """Register codes by category. Withdrawn codes come last, because old registers still hold them."""
    current = {
        name: [code for code in CODES if code.category is category and not code.legacy and not code.administrative]
        for category, name in CATEGORY_NAMES.items()
    }
    return {
        **current,
        "Not counted": [code for code in CODES if code.administrative],
        "No longer in use": [code for code in CODES if code.legacy],
    }
