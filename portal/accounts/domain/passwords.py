"""Hashing passwords, checking them, and refusing the ones that are easy to guess.

Checking takes as long for an unknown email address as for a known one, so that the time tells nobody who has an account.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.accounts.domain.guessable import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MIN_LENGTH = 12
MAX_LENGTH = 1000

#: OWASP's argon2id setting: 19 MiB of memory, 2 passes, 1 thread. About 30 ms of one core.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, salt_len=16)

#: How many hashes this process computes at once, and the seconds one waits for its turn. Without a limit, Monday
#: morning's sign-ins would take all of the machine's memory and both cores from the other pages.
MAX_CONCURRENT_HASHES = 2
_hash_slots = threading.BoundedSemaphore(MAX_CONCURRENT_HASHES)
SLOT_TIMEOUT = 8.0

#: The hash of a random string that was thrown away. Checked for unknown people, so that they take as long as known ones.
_DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$L44r1alAeqI0gHuM5G4d8A$XgEcCfmJANoBC56pT+J/FiX/Yf0F5DT1W8Bw0nCMeN0"

_LOOKALIKES = str.maketrans("013457@$!|", "oieastasil")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890123456789", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_SEQUENCES = (*_ROWS, *(row[::-1] for row in _ROWS))
_MIN_RUN, _MAX_RUN = 4, max(map(len, _ROWS))
_MIN_DISTINCT_CHARACTERS = 5
#: A password is guessable when listed words or runs cover all of it but this many characters.
_MAX_UNCOVERED = 3
#: Only this many letters are compared with the list, so that a long password costs no more time than a short one.
_COMPARED_LETTERS = 200


class BusyError(RuntimeError):
    """Too many passwords are being checked at once. Trying again in a few seconds helps."""


def hash_password(password: str) -> str:
    """The argon2id hash to store of a password.

    Raises:
        BusyError: when no slot was free within `SLOT_TIMEOUT` seconds.
    """
    with _hash_slot():
        return _HASHER.hash(_normalised(password))


def is_correct(password: str, stored_hash: str | None) -> bool:
    """Does this password match the stored hash?

    With None, or a password over the maximum length, the answer is no but takes as long.

    Raises:
        BusyError: when no slot was free within `SLOT_TIMEOUT` seconds.
    """
    can_match = stored_hash is not None and len(password) <= MAX_LENGTH
    with _hash_slot():
        try:
            verified = _HASHER.verify(stored_hash if can_match and stored_hash else _DUMMY_HASH, _normalised(password[:MAX_LENGTH]))
        except (VerificationError, InvalidHashError):
            return False
    return verified and can_match


def is_outdated(stored_hash: str) -> bool:
    """Was this hash made with an older setting? It is then made again at the next sign-in."""
    return _HASHER.check_needs_rehash(stored_hash)


def weakness(password: str, about: Collection[str] = ()) -> str | None:
    """The error message for a password that is too weak, for the screen; None when it is good.

    A password has 12 to 1,000 characters of any kind. It must not be made of common or attendance words, of
    keyboard runs, or of the words in `about` (the person's name, e-mail address, authority).
    """
    if len(password) < MIN_LENGTH:
        return f"Enter a password of {MIN_LENGTH} characters or more"
    if len(password) > MAX_LENGTH:
        return f"Enter a password of {MAX_LENGTH:,} characters or fewer"
    if _is_guessable(password, about):
        return "Enter a password that is harder to guess, like three words that have nothing to do with you or your work"
    return None


def _is_guessable(password: str, about: Collection[str]) -> bool:
    folded = unicodedata.normalize("NFKC", password).casefold()
    if len(set(folded)) < _MIN_DISTINCT_CHARACTERS:
        return True
    words = WORDS | {word for text in about for word in re.findall(r"[a-z]{4,}", text.casefold())}
    # Twice: as typed, and with digits and signs read as the letters they look like ("Passw0rd").
    plain, translated = (re.sub(r"[^a-z]", "", text) for text in (folded, folded.translate(_LOOKALIKES)))
    # Other alphabets: no Latin letter is left to compare, and an English word list has nothing to say about the rest.
    if not folded.isascii() and not plain:
        return False
    return any(_uncovered(letters, words) <= _MAX_UNCOVERED for letters in (plain, translated)) or _is_made_of_runs(folded)


def _uncovered(letters: str, words: Collection[str]) -> int:
    """The smallest number of letters that these words leave uncovered, in the first 200."""
    # fewest[n] is the answer for the first n letters; each new letter is either uncovered or ends a word.
    fewest = [0]
    for end in range(1, min(len(letters), _COMPARED_LETTERS) + 1):
        with_word = [fewest[end - len(word)] for word in words if letters.endswith(word, 0, end)]
        fewest.append(min([fewest[-1] + 1, *with_word]))
    return fewest[-1]


def _is_made_of_runs(folded: str) -> bool:
    """Is nearly all of it runs along the alphabet, the digits or the keyboard?"""
    covered, start = 0, 0
    while start < len(folded):
        ends = range(min(len(folded), start + _MAX_RUN), start + _MIN_RUN - 1, -1)
        length = next((end - start for end in ends if any(folded[start:end] in row for row in _SEQUENCES)), 0)
        covered += length
        start += length or 1
    return covered >= len(folded) - _MAX_UNCOVERED


def _normalised(password: str) -> str:
    """The password in Unicode form NFKC.

    Keyboards send the same letter in different forms (one code point or two, half or full width). Without this,
    a password set on one machine would be wrong on another.
    """
    return unicodedata.normalize("NFKC", password)


@contextmanager
def _hash_slot() -> Iterator[None]:
    """Hold one of the hash slots for the length of the block."""
    if not _hash_slots.acquire(timeout=SLOT_TIMEOUT):
        message = "Many people are signing in at this moment."
        raise BusyError(message)
    try:
        yield
    finally:
        _hash_slots.release()
