"""Refuses requests for a host that this portal cannot have, before anything reads the name.

Werkzeug fails on a name that is none (a part of more than 63 letters), outside every error page: a stranger could raise
the alarm of server errors at will.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import abort, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from config.settings import Settings

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?P<name>{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?", re.ASCII)
_LONGEST_NAME = 253
_WRONG = "portal.wrong_host"


class HostCheck:
    """Marks a request whose Host header names no host, or none of `names`, and hides the name.

    Addresses are always known: machines are asked for their health by address, and links in mail never come from the header.
    """

    def __init__(self, wsgi_app: Callable[..., Iterable[bytes]], names: frozenset[str] | None) -> None:
        """Without `names`, every name that could be a host passes."""
        self._wsgi_app = wsgi_app
        self._names = names

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Pass the request on, marked if its host is wrong."""
        host = environ.get("HTTP_HOST")
        if host is not None and not self._is_known(host):
            environ["HTTP_HOST"], environ[_WRONG] = "localhost", True
        return self._wsgi_app(environ, start_response)

    def _is_known(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if match is None or len(match["name"]) > _LONGEST_NAME:
            return False
        name = match["name"].strip("[]").removesuffix(".").lower()
        return _is_decodable(name) and (self._names is None or name in self._names or _is_address(name))


def known_hosts(settings: Settings) -> frozenset[str] | None:
    """The names by which this portal is asked for; None on a laptop, where any will do."""
    if not settings.production:
        return None
    return frozenset(name.lower() for name in (urlsplit(settings.address).hostname, settings.host, "localhost") if name)


def refuse_wrong_host() -> None:
    """Answer 400 to a request that `HostCheck` marked."""
    if _WRONG in request.environ:
        abort(400)


def init_app(app: Flask, settings: Settings) -> None:
    """Check the host of every request to `app`."""
    app.wsgi_app = HostCheck(app.wsgi_app, known_hosts(settings))  # type: ignore[method-assign]  # Flask's documented way


def _is_decodable(name: str) -> bool:
    """Can the name be read as the letters it stands for? A part that begins with xn-- may be no encoding of any."""
    try:
        name.encode("ascii").decode("idna")
    except UnicodeError:
        return False
    return True


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
