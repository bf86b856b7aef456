"""The database revision this version needs, read without importing the migrations, which takes a third of a second."""

from pathlib import Path

#: The root of the repository.
REPOSITORY = Path(__file__).resolve().parent.parent

NEEDED = (REPOSITORY / "migrations" / "HEAD").read_text().strip()
