"""The accounts' blueprint, and the page that asks for patience wherever tries come too fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, make_response, render_template

from portal.accounts.actions.tries import SlowDownError
from portal.accounts.passwords import BusyError
from portal.accounts.roles import name_of, sentence_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from flask import Response

    from portal.accounts.queries import Colleague

bp = Blueprint("accounts", __name__, template_folder="../templates")

A_FEW = 5
_MINUTE = 60


@bp.context_processor
def words() -> dict[str, object]:
    """What the accounts' templates call roles and reaches."""
    return {"role_name": name_of, "role_sentence": sentence_of, "where": _where}


@bp.errorhandler(SlowDownError)
def slow_down(wait: SlowDownError) -> Response:
    """Too many tries: how long to wait, in words and in the header machines read."""
    return _wait(wait.seconds)


@bp.errorhandler(BusyError)
def busy(_wait_a_little: BusyError) -> Response:
    """Too many passwords at once: a few seconds."""
    return _wait(A_FEW)


def _where(one: Colleague, schools: Mapping[UUID, str]) -> str:
    """Where someone's place reaches, in words."""
    names = sorted(schools.get(school, "A closed school") for school in one.school_ids)
    return one.agency or ", ".join(names) or "Whole authority"


def _wait(seconds: int) -> Response:
    minutes = -(-seconds // _MINUTE)
    words = f"{seconds} second{'s' if seconds > 1 else ''}" if seconds <= _MINUTE else f"{minutes} minutes"
    response = make_response(render_template("accounts/wait.html", wait=words), 429)
    response.headers["Retry-After"] = str(seconds)
    return response
