"""Proposals: what a file's columns seem to mean, from their headers first and from what stands in them second."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from portal.rules.codes import BY_LETTERS
from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.marks import MISSING, code_text
from portal.uploads.reading.results import Column
from portal.uploads.reading.synonyms import MEANINGS, SYNONYMS, fold_header, session_of
from portal.uploads.reading.upn import normalised, shape_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MOST = 0.8
_DIGITS = re.compile(r"[0-9]+")


def propose(
    headers: Sequence[str], samples: Sequence[Sequence[str]] = (), mapping: Mapping[str, str] | None = None
) -> tuple[Column, ...]:
    """A meaning for each column. `samples` are a few rows of cells.

    `mapping` is a person's word, header → meaning, and goes before everything ("" means not used). Each meaning is given
    once. A meaning found only in the cells is not certain, but for UPNs, which nothing else looks like.
    """
    said = {fold_header(header): meaning for header, meaning in (mapping or {}).items()}
    folded = [fold_header(header) for header in headers]
    meanings: list[str | None] = [None] * len(headers)
    taken: set[str] = set()
    for known in (said, SYNONYMS):
        for place, word in enumerate(folded):
            meaning = known.get(word)
            if known is SYNONYMS and word in said:
                continue
            if meaning in MEANINGS and meaning not in taken and meanings[place] is None:
                meanings[place] = meaning
                taken.add(meaning)
    columns = []
    for place, header in enumerate(headers):
        cells = tuple(row[place] for row in samples if place < len(row))
        meaning, certain = meanings[place], True
        if meaning is None and folded[place] not in said:
            meaning = _by_content(cells, taken)
            certain = meaning is None or meaning == "upn"
            taken |= {meaning} if meaning else set()
        columns.append(Column(header, place + 1, meaning, certain, tuple(cell[:60] for cell in cells if cell.strip())[:5]))
    return tuple(columns)


def _by_content(cells: Sequence[str], taken: set[str]) -> str | None:
    """What the cells of a column look like, if nearly all of them look alike."""
    said = [cell for cell in cells if cell.strip()]
    if not said:
        return None
    if "upn" not in taken and _share(shape_problem(normalised(cell)) is None for cell in said) >= _MOST:
        return "upn"
    if "session" not in taken and len(said) > 1 and _share(session_of(cell) is not None for cell in said) == 1:
        return "session"
    if not {"code", "am_code", "pm_code"} & taken and _share(_is_code(cell) for cell in said) >= _MOST:
        return "code"
    reader = DateReader()
    if not {"date", "week"} & taken and _share(reader.read(cell).on is not None and not _DIGITS.fullmatch(cell) for cell in said) >= _MOST:
        return "date"
    return None


def _is_code(cell: str) -> bool:
    code = code_text(cell)
    return code in BY_LETTERS or code in MISSING


def _share(answers: Iterable[bool]) -> float:
    found = list(answers)
    return sum(found) / len(found)


def fingerprint(headers: Sequence[str]) -> str:
    """What a school's mapping is remembered by: the headers, folded, whatever the file is called."""
    return hashlib.sha256("\n".join(fold_header(header) for header in headers).encode()).hexdigest()


def looks_like_same_file(content: bytes) -> str:
    """The SHA-256 of the bytes: two files with the same answer are the same file."""
    return hashlib.sha256(content).hexdigest()
