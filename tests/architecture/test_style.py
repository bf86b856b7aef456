"""The measurements of `./run check --style`, on two small files."""

from __future__ import annotations

from tests.architecture import style
from tests.architecture.sources import Source

UPLOADS = Source(
    "portal/uploads.py",
    '''"""Uploads."""

# Why it is so.
LIMIT = 5  # no'''
    '''qa: E501  a reason


def count(self, uploads: list[str], *names: str) -> int:
    """Count them."""
    return len(uploads)  # type'''
    """: ignore[misc]  # a reason
""",
)
SCHOOLS = Source("portal/schools.py", "def school(name):\n" + "    name = '# no comment'\n" * 45)


def test_the_table_of_two_small_files() -> None:
    rows = dict(style.table([UPLOADS, SCHOOLS], [Source("tests/test_uploads.py", "\n" * 110)]))
    del rows["commits without a body"]
    assert rows == {
        "files": "2",
        "lines": "55",
        "lines of a file, median": "28",
        "lines of a file, p90": "46",
        "biggest file": "46 (portal/schools.py)",
        "modules with a docstring": "50.0%",
        "functions": "2",
        "lines of a function, median": "24",
        "functions over 40 lines": "1",
        "functions over 60 lines": "0",
        "functions with a docstring": "50.0%",
        "functions annotated": "50.0%",
        "comment lines": "5.5%",
        "noqa": "1",
        "type: ignore": "1",
        "fmt: skip": "0",
        "tests : application": "2.00",
    }
