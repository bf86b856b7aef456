"""Reading: a file's bytes become marks, people or totals, recognised by what is in it and never by its name."""

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
