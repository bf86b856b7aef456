"""The revision of the database this version needs, read from where migrations keep it, without importing them."""

from pathlib import Path

#: The top of the repository: where `./run`, `config` and `portal` lie.
REPOSITORY = Path(__file__).resolve().parent.parent

NEEDED = (REPOSITORY / "migrations" / "HEAD").read_text().strip()
