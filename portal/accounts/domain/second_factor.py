"""Second factors: encrypting the secret, checking six digits, the QR code to scan, and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.platform import clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

STEP_SECONDS = 30
#: Steps before and after the current one that are accepted too, because a telephone's clock may be a little off.
ALLOWED_DRIFT = 1
RECOVERY_CODE_COUNT = 10
OFFER_LIFETIME = timedelta(minutes=30)
ISSUER = "Attendance portal"

_NONCE_BYTES = 12
#: What stands in front of a secret that names its key.
_MARK = b"key1"
_KEY_ID_BYTES = 8
#: Letters and digits that cannot be mistaken for one another (no 0, O, 1, I, L, U).
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class TamperedError(ValueError):
    """Encrypted bytes that were not made with this key for this person, or too long ago."""


@dataclass(frozen=True, slots=True)
class SealingKeys:
    """The key that encrypts second-factor secrets, and earlier keys, which only open. Each has an id."""

    current_id: bytes = field(repr=False)
    by_id: Mapping[bytes, bytes] = field(repr=False)


def derive_keys(app_secret: str, *earlier: str) -> SealingKeys:
    """The keys of second factors: 32 bytes from each of the app's secrets, by HKDF-SHA-256.

    The app's secrets are not in the database, so a stolen copy of the database gives away no second factor.
    """
    derived = [
        HKDF(algorithm=SHA256(), length=32, salt=None, info=b"portal second factor v1").derive(secret.encode())
        for secret in (app_secret, *earlier)
    ]
    return SealingKeys(_key_id(derived[0]), {_key_id(key): key for key in derived})


def _key_id(key: bytes) -> bytes:
    """A name for a key that gives nothing of it away: part of a hash of it."""
    return hashlib.sha256(b"portal key id" + key).digest()[:_KEY_ID_BYTES]


def seal(secret: str, keys: SealingKeys, person_id: UUID) -> bytes:
    """Encrypt a secret with AES-GCM for the database.

    A mark, the key's id, 12 bytes of nonce, then the ciphertext with its tag. The person's id is authenticated with it, so
    that a row's secret copied into another person's row does not decrypt.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    ciphertext = AESGCM(keys.by_id[keys.current_id]).encrypt(nonce, secret.encode(), person_id.bytes)
    return _MARK + keys.current_id + nonce + ciphertext


def is_sealed_with_current(stored: bytes, keys: SealingKeys) -> bool:
    """Was this encrypted with the present key, and does it say so?"""
    return stored.startswith(_MARK + keys.current_id)


def unseal(stored: bytes, keys: SealingKeys, person_id: UUID) -> str:
    """Decrypt a secret.

    Raises:
        TamperedError: when the bytes were changed, or belong to another key or another person.
    """
    head = len(_MARK) + _KEY_ID_BYTES
    key_of_id = keys.by_id.get(stored[len(_MARK) : head]) if stored.startswith(_MARK) else None
    candidates = [(key_of_id, stored[head:])] if key_of_id else []
    # Secrets of earlier releases have no mark and no id; and by chance one may begin like a mark.
    candidates += [(key, stored) for key in keys.by_id.values()]
    for key, sealed in candidates:
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], person_id.bytes).decode()
        except (InvalidTag, ValueError):
            continue
    message = "A second-factor secret cannot be opened with the keys there are."
    raise TamperedError(message)


def make_offer(key: SealingKeys, person_id: UUID) -> tuple[str, str]:
    """A new secret, and the same secret encrypted as text for the set-up form.

    The form carries it, because nothing is stored until digits typed from the app match.
    """
    secret = pyotp.random_base32()
    expires = int((clock.now() + OFFER_LIFETIME).timestamp())
    # Three parts, where a stored secret is one: a stored secret can never be sent back as an offer.
    return secret, base64.urlsafe_b64encode(seal(f"offer:{expires}:{secret}", key, person_id)).decode()


def secret_from_offer(offer: str, key: SealingKeys, person_id: UUID) -> str:
    """The secret inside an offer.

    Raises:
        TamperedError: when the offer was not made here, or for another person, or more than 30 minutes ago.
    """
    try:
        _, expires, secret = unseal(base64.urlsafe_b64decode(offer.encode()), key, person_id).split(":")
        is_expired = int(expires) < clock.now().timestamp()
    except ValueError:
        is_expired = True
    if is_expired:
        message = "This set-up was not started here, or too long ago. Start it again."
        raise TamperedError(message)
    return secret


def _normalised_code(typed: str) -> str:
    """A typed code without spaces and with full-width digits made plain. Other characters stay and will not match."""
    return "".join(unicodedata.normalize("NFKC", typed).split())


def matching_step(secret: str, typed: str, last: int | None) -> int | None:
    """The half-minute step this code belongs to, or None for a wrong or used code.

    A step no later than `last`, the last one used, is not accepted again (RFC 6238 section 5.2).
    """
    code, current_step = _normalised_code(typed), int(clock.now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    matched_step = None
    # Every step is compared, in constant time and without stopping early, so that the time taken tells nothing.
    for step in range(current_step - ALLOWED_DRIFT, current_step + ALLOWED_DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()) and (last is None or step > last):
            matched_step = step
    return matched_step


def qr_code_svg(secret: str, email: str) -> str:
    """The QR code for an authenticator app, as inline SVG. No style attributes: the content security policy forbids them."""
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(scale=4, light="white", svgclass="portal-qr", lineclass=None)
    return svg.replace("<svg ", '<svg role="img" aria-label="QR code of the key below" ', 1)


def in_groups_of_four(secret: str) -> str:
    """A secret in groups of four characters, for typing."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def recovery_codes() -> list[str]:
    """Ten new codes of ten characters (49 bits each), written ABCDE-FGHJK."""
    return [f"{_random_characters()}-{_random_characters()}" for _ in range(RECOVERY_CODE_COUNT)]


def hash_recovery_code(typed: str, person_id: UUID) -> str:
    """The hash to store of a recovery code. Case, spaces and dashes make no difference."""
    plain = "".join(character for character in unicodedata.normalize("NFKC", typed).upper() if character in _ALPHABET)
    return hashlib.sha256(person_id.bytes + plain.encode()).hexdigest()


def _random_characters() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(5))
