"""Visitors: where a request comes from, and how that is kept, as keyed hashes and plain words only."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

#: What a browser calls itself → what a person calls it. The first that fits is taken.
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
class Visitor:
    """Who knocks: a network address, a device in words, and the secret under which both are blinded before they are kept."""

    address: str
    device: str
    secret: str

    def blinded(self, kind: str, value: str) -> str:
        """A keyed hash (HMAC-SHA-256, hexadecimal) of a value, so that the list of tries names nobody."""
        return hmac.new(self.secret.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def device_in_words(user_agent: str) -> str:
    """A browser's description of itself as "Firefox on Windows"; "Another browser" when it tells us nothing we know."""
    browser = next((words for sign, words in _BROWSERS if sign in user_agent), "Another browser")
    machine = next((words for sign, words in _MACHINES if sign in user_agent), None)
    return browser if machine is None else f"{browser} on {machine}"
