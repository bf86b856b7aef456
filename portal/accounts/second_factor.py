"""The second factor: secrets under lock, six digits in their half minute, the picture to scan, and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal import clock

if TYPE_CHECKING:
    from uuid import UUID

STEP = 30
#: Half minutes either side that still count, for a telephone whose clock is a little off.
SLACK = 1
CODES = 10
OFFER_LASTS = timedelta(minutes=30)
ISSUER = "Attendance portal"

_NONCE = 12
#: Letters and digits that nobody mistakes for one another (no 0, O, 1, I, L, U).
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class TamperedError(ValueError):
    """Sealed bytes that were not sealed with this key for this person, or too long ago."""


def key_from(app_secret: str) -> bytes:
    """The key for second-factor secrets: 32 bytes derived (HKDF-SHA-256) from the app's secret, which is not in the database."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"portal second factor v1").derive(app_secret.encode())


def sealed(secret: str, key: bytes, person_id: UUID) -> bytes:
    """A secret under AES-GCM, bound to its person: what the database keeps."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret.encode(), person_id.bytes)


def opened(kept: bytes, key: bytes, person_id: UUID) -> str:
    """The secret again.

    Raises:
        TamperedError: when the bytes, the key or the person are others.
    """
    try:
        return AESGCM(key).decrypt(kept[:_NONCE], kept[_NONCE:], person_id.bytes).decode()
    except InvalidTag as error:
        message = "A second-factor secret cannot be opened with this key."
        raise TamperedError(message) from error


def offered(key: bytes, person_id: UUID) -> tuple[str, str]:
    """A new secret, and the same sealed as text for the form that will prove it: nothing is kept until it is proved."""
    secret = pyotp.random_base32()
    until = int((clock.now() + OFFER_LASTS).timestamp())
    return secret, base64.urlsafe_b64encode(sealed(f"offer:{until}:{secret}", key, person_id)).decode()


def taken_up(offer: str, key: bytes, person_id: UUID) -> str:
    """The secret of an offer.

    Raises:
        TamperedError: when it is not ours, another person's, or more than 30 minutes old.
    """
    try:
        _, until, secret = opened(base64.urlsafe_b64decode(offer.encode()), key, person_id).split(":")
        over = int(until) < clock.now().timestamp()
    except ValueError:
        over = True
    if over:
        message = "This set-up was not started here, or too long ago. Start it again."
        raise TamperedError(message)
    return secret


def digits(typed: str) -> str:
    """A code as typed, without spaces and with full-width digits made plain; what is no digit stays and will not match."""
    return "".join(unicodedata.normalize("NFKC", typed).split())


def step_of(secret: str, typed: str, last: int | None) -> int | None:
    """The half minute this code belongs to; None when it is wrong, or no later than the last one used (RFC 6238 section 5.2)."""
    code, present = digits(typed), int(clock.now().timestamp()) // STEP
    totp = pyotp.TOTP(secret)
    right = None
    for step in range(present - SLACK, present + SLACK + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()) and (last is None or step > last):
            right = step
    return right


def picture(secret: str, email: str) -> str:
    """The QR code an authenticator app scans, as inline SVG without style attributes."""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    code = segno.make(address, error="m", micro=False)
    drawn = code.svg_inline(scale=4, light="white", svgclass="portal-qr", lineclass=None)
    return drawn.replace("<svg ", '<svg role="img" aria-label="QR code of the key below" ', 1)


def in_fours(secret: str) -> str:
    """A secret for typing: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def recovery_codes() -> list[str]:
    """Ten new codes of ten characters (49 bits each), written ABCDE-FGHJK."""
    return [f"{_letters()}-{_letters()}" for _ in range(CODES)]


def recovery_hash(typed: str, person_id: UUID) -> str:
    """What is kept of a recovery code: a hash, the same whatever case, spaces or dashes it is typed with."""
    plain = "".join(one for one in unicodedata.normalize("NFKC", typed).upper() if one in _ALPHABET)
    return hashlib.sha256(person_id.bytes + plain.encode()).hexdigest()


def _letters() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(5))
