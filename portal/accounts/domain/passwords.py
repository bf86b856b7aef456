"""Hashing passwords, checking them, and refusing the ones that are easy to guess.

Checking takes as long for an unknown email address as for a known one, so that the time tells nobody who has an account.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn_rs_py import zxcvbn

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

#: The strongest of zxcvbn's scores from 0 to 4: more than 10 to the 10th guesses. `fluffybunny12` has 3.
STRONG = 4
#: zxcvbn sees this many characters: its time grows faster than the length, and a password is strong long before.
_SCORED_LENGTH = 64
#: So many names about the owner are compared, or a whole county's schools would slow the answer down.
_MAX_NAMES = 200
#: Words that anyone would try first here, and the phrase that every article about passwords prints.
_WORDS_OF_THE_WORK = (
    *("attendance", "absence", "school", "schools", "pupil", "pupils", "register", "registers", "council", "portal", "truancy"),
    *("correct horse battery staple", "correcthorsebatterystaple"),
)


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

    A password has 12 to 1,000 characters of any kind, and zxcvbn finds it strong: not made of common words, dates,
    keyboard runs, words of school attendance, or the words in `about` (the names and e-mail address of its owner,
    their authority and their schools).
    """
    if len(password) < MIN_LENGTH:
        return f"Enter a password of {MIN_LENGTH} characters or more"
    if len(password) > MAX_LENGTH:
        return f"Enter a password of {MAX_LENGTH:,} characters or fewer"
    score = zxcvbn(_normalised(password)[:_SCORED_LENGTH], _guessable_words(about)).score
    if int(score) < STRONG:
        return "Enter a password that is harder to guess, like three words that have nothing to do with you or your work"
    return None


def _guessable_words(about: Collection[str]) -> list[str]:
    """The words of the work, and each word and each beginning of the names in `about`.

    zxcvbn takes words written together for several, each of which adds to its count: "BrookLanePrimary" would be strong.
    """
    guessable = list(_WORDS_OF_THE_WORK)
    for text in islice(about, _MAX_NAMES):
        name = _normalised(text[:_SCORED_LENGTH])
        for word in re.finditer(r"[^\W_]+", name):
            beginning = name[: word.end()]
            guessable += {word.group(), beginning, re.sub(r"[\W_]", "", beginning)}
    return [word for word in guessable if len(word) >= 3]


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
