"""Passwords: argon2id a few at a time, the same time for known and unknown people, refused when easy to guess."""

from __future__ import annotations

import re
import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.accounts.guessable import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

SHORTEST = 12
LONGEST = 1000

#: OWASP's argon2id setting of 19 MiB, 2 passes and 1 lane: about 30 ms of one core and no more memory than we can promise.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, salt_len=16)

#: Hashes at once in this process, and how long one waits its turn. The rest of Monday morning's sign-ins queue.
AT_ONCE = 2
_turns = threading.BoundedSemaphore(AT_ONCE)
PATIENCE = 8.0

#: Of a random string nobody kept, made with the same setting: verified for unknown people, so that they take as long.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$L44r1alAeqI0gHuM5G4d8A$XgEcCfmJANoBC56pT+J/FiX/Yf0F5DT1W8Bw0nCMeN0"

_LOOKS_LIKE = str.maketrans("013457@$!|", "oieastasil")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890123456789", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_BOTH_WAYS = (*_ROWS, *(row[::-1] for row in _ROWS))
_RUN, _LONGEST_RUN = 4, max(map(len, _ROWS))
_FEW_CHARACTERS = 5
_LEFT_OVER = 3
_LOOKED_AT = 200


class BusyError(RuntimeError):
    """Too many passwords are being checked at once; worth trying again in a few seconds."""


def hash_of(password: str) -> str:
    """The argon2id hash to keep of a password.

    Raises:
        BusyError: when no turn came within `PATIENCE` seconds.
    """
    with _turn():
        return _HASHER.hash(_typed(password))


def is_right(password: str, kept: str | None) -> bool:
    """Is this the password that hash was made of?

    For None, and for a password too long to be one, the time is spent all the same.

    Raises:
        BusyError: when no turn came within `PATIENCE` seconds.
    """
    possible = kept is not None and len(password) <= LONGEST
    with _turn():
        try:
            verified = _HASHER.verify(kept if possible and kept else _NOBODY, _typed(password[:LONGEST]))
        except (VerificationError, InvalidHashError):
            return False
    return verified and possible


def is_outdated(kept: str) -> bool:
    """Was this hash made with another setting, so that it should be made again at the next sign-in?"""
    return _HASHER.check_needs_rehash(kept)


def weakness(password: str, about: Collection[str] = ()) -> str | None:
    """What to do about a password that will not do, in words for the screen; None when it will.

    At least 12 characters, at most 1,000, of any kind; not made of the words everyone tries, of attendance
    words, of keyboard runs, or of `about` (the person's name, e-mail address, authority).
    """
    if len(password) < SHORTEST:
        return f"Enter a password of {SHORTEST} characters or more"
    if len(password) > LONGEST:
        return f"Enter a password of {LONGEST:,} characters or fewer"
    if _is_guessable(password, about):
        return "Enter a password that is harder to guess, like three words that have nothing to do with you or your work"
    return None


def _is_guessable(password: str, about: Collection[str]) -> bool:
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(set(folded)) < _FEW_CHARACTERS:
        return True
    known = WORDS | {word for text in about for word in re.findall(r"[a-z]{4,}", text.casefold())}
    readings = (re.sub(r"[^a-z]", "", folded), re.sub(r"[^a-z]", "", folded.translate(_LOOKS_LIKE)))
    if not folded.isascii() and not readings[0]:
        return False
    return any(_left_over(letters, known) <= _LEFT_OVER for letters in readings) or _runs(folded)


def _left_over(letters: str, known: Collection[str]) -> int:
    """How few letters of the first 200 are left when known words cover the others."""
    fewest = [0]
    for end in range(1, min(len(letters), _LOOKED_AT) + 1):
        covered = [fewest[end - len(word)] for word in known if letters.endswith(word, 0, end)]
        fewest.append(min([fewest[-1] + 1, *covered]))
    return fewest[-1]


def _runs(folded: str) -> bool:
    """Is nearly all of it runs along the alphabet, the digits or the keyboard?"""
    covered, at = 0, 0
    while at < len(folded):
        ends = range(min(len(folded), at + _LONGEST_RUN), at + _RUN - 1, -1)
        length = next((end - at for end in ends if any(folded[at:end] in row for row in _BOTH_WAYS)), 0)
        covered += length
        at += length or 1
    return covered >= len(folded) - _LEFT_OVER


def _typed(password: str) -> str:
    """The same password from every keyboard: composed characters and full-width ones compare equal."""
    return unicodedata.normalize("NFKC", password)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        message = "Many people are signing in at this moment."
        raise BusyError(message)
    try:
        yield
    finally:
        _turns.release()
