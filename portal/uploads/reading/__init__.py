"""Reads files of marks, pupils or totals. A file is recognised by its content, never by its name."""

from portal.uploads.reading.child import read_in_child
from portal.uploads.reading.files import read
from portal.uploads.reading.headings import MEANINGS
from portal.uploads.reading.shapes import (
    DEFAULT,
    Column,
    FileRefused,
    Limits,
    MarkNote,
    Person,
    Problem,
    PupilKey,
    Reading,
)

__all__ = [
    "DEFAULT",
    "MEANINGS",
    "Column",
    "FileRefused",
    "Limits",
    "MarkNote",
    "Person",
    "Problem",
    "PupilKey",
    "Reading",
    "read",
    "read_in_child",
]
