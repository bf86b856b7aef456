"""Error pages in plain words.

Every 404 has the same body, and no page says what went wrong inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

import structlog
from flask import Response, current_app, redirect, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import Conflict, HTTPException, NotFound, ServiceUnavailable, UnprocessableEntity

from portal.platform.refusals import ConflictError, NotFoundError, RefusedError
from portal.web.paging import WrongAddressError
from portal.web.templating import page_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask
    from flask.typing import ResponseReturnValue

    Listener = Callable[[HTTPException], None]

log = structlog.get_logger("portal.request")

SIGN_IN = "accounts.sign_in"
#: The database is away, starting or full, or a statement or a lock timed out. These pass, so they answer 503 and not 500.
TEMPORARY_ERRORS = (OperationalError, InterfaceError, PoolTimeoutError)
#: Headers of the error that its page carries too.
ERROR_HEADERS = ("Allow", "Retry-After")
LISTENERS = "portal.web.errors"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of an error page: the heading, what it means and what to do."""

    title: str
    text: tuple[str, ...]


WORDINGS: Mapping[int, Wording] = {
    400: Wording(
        "We could not use what was sent",
        (
            "The address or the form has something in it that this page does not know.",
            "Go back, check what you entered and send it again.",
        ),
    ),
    401: Wording(
        "Sign in to continue",
        ("You have been signed out, because you asked for it or because nothing happened for a while.",),
    ),
    403: Wording(
        "You cannot open this page in your role",
        (
            "Your role does not include this page or this action.",
            "If you need it for your work, ask the person who manages people for your school or authority.",
        ),
    ),
    404: Wording(
        "Page not found",
        (
            "If you typed the address, check it is correct. If you followed a link, it may be old.",
            "The page may also be about a school or a pupil that your role does not include.",
        ),
    ),
    405: Wording("This page cannot do that", ("Go back and use the buttons and links of the page itself.",)),
    409: Wording("Somebody else changed this first", ("Go back and load the page again to see how it is now.",)),
    413: Wording(
        "This file is too large",
        ("Nothing was stored.", "Split the file, for example into one file for each half term, and send the parts one by one."),
    ),
    422: Wording("This cannot be done", ("Nothing was changed. Go back to put it right.",)),
    429: Wording("Wait a minute, then try again", ("There were too many tries in a short time.", "Your account is not locked.")),
    500: Wording(
        "There is a problem with the service",
        (
            "Nothing you had saved before is lost.",
            "Try again later. If it happens again, tell the people who run this service when it was.",
        ),
    ),
    503: Wording(
        "The service is not available",
        ("It may be restarting or being updated.", "Try again in a few minutes. Uploads already received go on by themselves."),
    ),
}
FORM_TOO_OLD = Wording(
    "Send the form again",
    (
        "The page was open for a long time, or you signed in again in another window.",
        "Go back, load the page again and send it once more.",
    ),
)


def init_app(app: Flask) -> None:
    """Answer every error of `app` with the portal's own page."""
    app.extensions[LISTENERS] = {}
    app.register_error_handler(HTTPException, _respond)
    app.register_error_handler(NotFoundError, lambda _error: _respond(NotFound()))
    app.register_error_handler(RefusedError, _respond_to_refusal)
    for error_class in TEMPORARY_ERRORS:
        app.register_error_handler(error_class, _respond_without_database)


def add_listener(app: Flask, status: int, listener: Listener) -> None:
    """Call `listener` for every error of this status, before its page is made.

    An exception in a listener is logged and not shown.
    """
    app.extensions[LISTENERS].setdefault(status, []).append(listener)


def _respond_without_database(error: Exception) -> ResponseReturnValue:
    log.error("request.no_database", why=type(getattr(error, "orig", error)).__name__)
    return _respond(ServiceUnavailable())


def _respond_to_refusal(refusal: RefusedError) -> ResponseReturnValue:
    """The page for a refusal that no form shows: 409 where someone else was faster, otherwise 422."""
    status, error = (409, Conflict()) if isinstance(refusal, ConflictError) else (422, UnprocessableEntity())
    return _page(status, Wording(WORDINGS[status].title, (refusal.sentence, *WORDINGS[status].text)), error)


def _respond(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    for listener in current_app.extensions[LISTENERS].get(status, ()):
        _notify(listener, error)
    if error.response is not None:
        return cast("Response", error.response)
    if status == HTTPStatus.UNAUTHORIZED and _can_return_after_sign_in():
        return redirect(url_for(SIGN_IN, next=request.path))
    return _page(status, _words_for(error, status), error)


def _words_for(error: HTTPException, status: int) -> Wording:
    if isinstance(error, CSRFError):
        return FORM_TOO_OLD
    words = wording(status)
    return Wording(words.title, (str(error.description), *words.text[1:])) if isinstance(error, WrongAddressError) else words


def _can_return_after_sign_in() -> bool:
    """Did a person open this page, so that signing in can lead back to it?"""
    # Dash would take a redirect for its own answer, and a sent form cannot be opened again.
    is_dash_call = request.path.startswith("/dashboards/_")
    return request.method == "GET" and not is_dash_call and SIGN_IN in current_app.view_functions


def _notify(listener: Listener, error: HTTPException) -> None:
    try:
        listener(error)
    except Exception:
        current_app.logger.exception("A listener to errors failed")


def wording(status: int) -> Wording:
    """The words for a status. A status without its own words gets those of 400 or 500."""
    return WORDINGS.get(status) or WORDINGS[400 if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500]


def _page(status: int, words: Wording, error: HTTPException) -> Response:
    """The error page, made without the signed-in person.

    So it works when the database does not, and every 404 is the same.
    """
    template = current_app.jinja_env.get_template("web/error.html")
    sign_in = url_for(SIGN_IN) if status == HTTPStatus.UNAUTHORIZED and SIGN_IN in current_app.view_functions else None
    response = Response(template.render(portal=page_context(), words=words, sign_in=sign_in), status=status)
    headers = dict(error.get_headers(request.environ))
    for name in ERROR_HEADERS:
        if name in headers:
            response.headers[name] = headers[name]
    return response
