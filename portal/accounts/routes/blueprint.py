"""The accounts' blueprint, and the page that asks people to wait after too many tries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flask import Blueprint, make_response, render_template

from portal.accounts.actions.throttling import RateLimitedError
from portal.accounts.domain.passwords import BusyError
from portal.accounts.domain.roles import role_description, role_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from flask import Response

    from portal.accounts.queries.people import Colleague

bp = Blueprint("accounts", __name__, template_folder="../templates")


@bp.context_processor
def words() -> dict[str, object]:
    """The functions the accounts' templates use: a role's name, its description, its schools or agency."""
    return {"role_name": role_name, "role_sentence": role_description, "where": _where}


@bp.errorhandler(RateLimitedError)
def slow_down(error: RateLimitedError) -> Response:
    """Answer too many tries: how long to wait, in words and in the header `Retry-After`."""
    return _wait(error.seconds)


@bp.errorhandler(BusyError)
def busy(_error: BusyError) -> Response:
    """Answer too many passwords at once: wait five seconds."""
    return _wait(5)


def _where(colleague: Colleague, schools: Mapping[UUID, str]) -> str:
    """The agency or the schools of a person's membership, in words."""
    names = sorted(schools.get(school_id, "A closed school") for school_id in colleague.school_ids)
    return colleague.agency or ", ".join(names) or "Whole authority"


def _wait(seconds: int) -> Response:
    minutes = math.ceil(seconds / 60)
    duration = f"{seconds} second{'s' if seconds > 1 else ''}" if seconds <= 60 else f"{minutes} minutes"
    response = make_response(render_template("accounts/wait.html", wait=duration), 429)
    response.headers["Retry-After"] = str(seconds)
    return response
