"""Logging: one JSON object a line on standard error, ours and the libraries' alike, with nothing secret or personal in it."""

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

#: Facts that never reach a log, whoever passes them.
HIDDEN = frozenset({
    "address", "authorization", "body", "cookie", "csrf_token", "date_of_birth", "dob", "email", "form", "name", "password",
    "postcode", "query_string", "secret", "surname", "token", "totp", "upn",
})  # fmt: skip

#: The password inside a URL, wherever a library's message quotes one.
_URL_PASSWORD = re.compile(r"(\w+://[^:/@\s]*):[^@/\s]+@")

#: Errors whose own words name no more than files, addresses and modules. Any other may quote a cell of a file or a row.
SPEAKING = (OSError, ImportError)

#: Libraries that talk at INFO of nothing a reader of our logs would miss.
QUIET = ("alembic", "gunicorn.access", "rq", "urllib3", "werkzeug")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream` (standard error) as JSON; safe to call again."""
    level = settings.log_level.upper()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(kinds_and_places),
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
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    for name in ("gunicorn.error", "gunicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def kinds_and_places(exc_info: ExcInfo) -> str:
    """An exception as what kind it was and where, its causes first, and in its own words only when it is one of `SPEAKING`."""
    _, error, places = exc_info
    words = f": {error}" if isinstance(error, SPEAKING) else ""
    told = f"{''.join(traceback.format_tb(places))}{type(error).__module__}.{type(error).__qualname__}{words}"
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{kinds_and_places((type(before), before, before.__traceback__))}\n\n{told}" if before else told


def hide(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank out facts that must not be logged, and passwords inside URLs."""
    for fact, value in event.items():
        if fact.lower() in HIDDEN:
            event[fact] = "hidden"
        elif isinstance(value, str) and "://" in value:
            event[fact] = _URL_PASSWORD.sub(r"\1:hidden@", value)
    return event
