"""Logging: one JSON object a line on standard error, with nothing secret or personal in it.

The libraries' lines have the same form as the portal's own.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

    from config.settings import Settings

#: Fields whose values never reach a log.
HIDDEN_FIELDS = frozenset({
    "address", "authorization", "body", "cookie", "csrf_token", "date_of_birth", "dob", "email", "form", "name", "password",
    "postcode", "query_string", "secret", "surname", "token", "totp", "upn",
})  # fmt: skip

#: The password inside a URL, which libraries like to quote in their messages.
_URL_PASSWORD = re.compile(r"(\w+://[^:/@\s]*):[^@/\s]+@")

#: Errors whose messages name only files, addresses and modules. Any other's may quote a cell of a file or a row.
SAFE_MESSAGES = (OSError, ImportError)

#: Libraries whose INFO lines are noise.
QUIET_LIBRARIES = ("alembic", "gunicorn.access", "rq", "urllib3", "werkzeug")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (standard error) as JSON; safe to call again."""
    level = settings.log_level.upper()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(exception_text),
        hide,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in ("gunicorn.error", "gunicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def exception_text(exc_info: ExcInfo) -> str:
    """An exception's type and traceback, its causes first. Its message is shown only for the types in `SAFE_MESSAGES`."""
    _, error, trace = exc_info
    message = f": {error}" if isinstance(error, SAFE_MESSAGES) else ""
    text = f"{''.join(traceback.format_tb(trace))}{type(error).__module__}.{type(error).__qualname__}{message}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{exception_text((type(cause), cause, cause.__traceback__))}\n\n{text}" if cause else text


def hide(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide the values of fields that must not be logged, and passwords inside URLs."""
    for name, value in event.items():
        if name.lower() in HIDDEN_FIELDS:
            event[name] = "hidden"
        elif isinstance(value, str) and "://" in value:
            event[name] = _URL_PASSWORD.sub(r"\1:hidden@", value)
    return event
