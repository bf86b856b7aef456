"""The client of a request: its network address, stored as a keyed hash, and its device."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

#: Part of the User-Agent header → the name people use. The first match counts: Edge and Opera also say Chrome and Safari.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request.

    The address is stored only as a hash keyed with `secret`; the device ("Firefox on Windows") is stored in words.
    """

    address: str
    device: str
    secret: str

    def blinded(self, kind: str, value: str) -> str:
        """A keyed hash of a value: HMAC-SHA-256 in hexadecimal.

        Keyed, because plain hashes of e-mail and network addresses can be found by trying them all. `kind` keeps equal
        values of different kinds apart.
        """
        return hmac.new(self.secret.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def device_in_words(user_agent: str) -> str:
    """A User-Agent header as words like "Firefox on Windows". An unknown one is "Another browser"."""
    browser = next((name for marker, name in _BROWSERS if marker in user_agent), "Another browser")
    machine = next((name for marker, name in _MACHINES if marker in user_agent), None)
    return browser if machine is None else f"{browser} on {machine}"
