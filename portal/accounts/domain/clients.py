"""The client of a request: its network address, stored as a keyed hash, and its device."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
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

    @property
    def network(self) -> str:
        """The network that tries are counted for: an IPv4 address, or the /64 of an IPv6 one.

        A single household or server has a whole /64, and could use each of its addresses once.
        """
        return network_of(self.address, 64)

    @property
    def site(self) -> str | None:
        """The /48 of an IPv6 address, which one customer may have alone; None for IPv4."""
        site = network_of(self.address, 48)
        return None if site == self.network else site

    def blinded(self, kind: str, value: str) -> str:
        """A keyed hash of a value: HMAC-SHA-256 in hexadecimal.

        Keyed, because plain hashes of e-mail and network addresses can be found by trying them all. `kind` keeps equal
        values of different kinds apart.
        """
        return hmac.new(self.secret.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def network_of(address: str, prefix: int) -> str:
    """The IPv6 network of an address, or the IPv4 address itself, also where it is written as IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, prefix), strict=False))


def device_in_words(user_agent: str) -> str:
    """A User-Agent header as words like "Firefox on Windows". An unknown one is "Another browser"."""
    browser = next((name for marker, name in _BROWSERS if marker in user_agent), "Another browser")
    machine = next((name for marker, name in _MACHINES if marker in user_agent), None)
    return browser if machine is None else f"{browser} on {machine}"
