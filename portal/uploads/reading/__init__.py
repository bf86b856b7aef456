"""Reading: a school's file in any layout, bytes in, marks and people out. It knows nothing of the database."""

from portal.uploads.reading.children import read_in_child
from portal.uploads.reading.limits import DEFAULT, FileRefused, Limits
from portal.uploads.reading.proposals import looks_like_same_file, propose
from portal.uploads.reading.recognition import read
from portal.uploads.reading.results import Column, MarkNote, Person, Problem, PupilKey, Reading
from portal.uploads.reading.synonyms import MEANINGS
from portal.uploads.reading.upn import upn_check

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
    "looks_like_same_file",
    "propose",
    "read",
    "read_in_child",
    "upn_check",
]
