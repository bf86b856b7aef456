"""The documentation: whole indexes, no dead link or path, and every table in the glossary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from migrations.tables import METADATA
from portal.db.tables import Base
from tests.architecture import sources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DOCS = sources.ROOT / "docs"
#: The pages in which every path of the code must exist. Decisions are of their time.
PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted(DOCS.glob("*.md"))))
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
#: A path of the repository in a page: it begins with a folder of the code, and holds no placeholder.
PATH = re.compile(r"(?:bench|config|dashboards|demo|docs|local|migrations|portal|tests|workers)/[\w./-]*")


def code_spans(text: str) -> set[str]:
    """What a page writes as code, outside of blocks."""
    return set(CODE.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def missing_models(glossary: str, models: Iterable[tuple[str, str]]) -> list[str]:
    """Models whose class or table the glossary does not name."""
    spans = code_spans(glossary)
    return [f"{name} ({table})" for name, table in models if not {name, table} <= spans]


def dead_links(page: str, text: str) -> list[str]:
    """Links of a page to files that do not exist."""
    folder = (sources.ROOT / page).parent
    return [f"{page}: {link}" for link in LINK.findall(text) if not (folder / link).exists()]


def dead_paths(page: str, text: str) -> list[str]:
    """Paths of the code that a page names and that do not exist."""
    paths = {span for span in code_spans(text) if PATH.fullmatch(span)}
    return [f"{page}: {path}" for path in sorted(paths) if not (sources.ROOT / path).exists()]


def unlisted(index: str, names: Iterable[str]) -> list[str]:
    """Files that an index does not link to."""
    return [name for name in names if f"({name})" not in index]


def mapped_folders(readme: str) -> set[str]:
    """The folders of the code on README's map; `portal/{db,web}/` stands for both."""
    folders: set[str] = set()
    for span in code_spans(readme):
        before, brace, list_and_end = span.partition("{")
        inside, _, after = list_and_end.partition("}")
        folders |= {f"{before}{name}{after}".rstrip("/") for name in inside.split(",")} if brace else {span.rstrip("/")}
    return folders


def _read(page: str) -> str:
    return (sources.ROOT / page).read_text(encoding="utf-8")


def _packages(folder: Path) -> list[str]:
    return sorted(sources.relative_name(path.parent) for path in folder.glob("*/__init__.py"))


def test_every_table_and_its_class_are_in_the_glossary() -> None:
    models = sorted((mapper.class_.__name__, mapper.class_.__tablename__) for mapper in Base.registry.mappers)
    assert len(models) == len(METADATA.tables)
    assert missing_models(_read("docs/glossary.md"), models) == []


def test_every_page_is_in_the_index_of_the_documentation() -> None:
    names = sorted(path.name for path in DOCS.iterdir() if path.is_file() and path.name != "README.md")
    assert unlisted(_read("docs/README.md"), names) == []


def test_every_folder_of_the_code_is_on_the_map() -> None:
    folders = [
        *(name for name in _packages(sources.ROOT) if name in (*sources.PACKAGES, "bench", "tests")),
        *_packages(sources.ROOT / "portal"),
    ]
    assert sorted(set(folders) - {"portal"} - mapped_folders(_read("README.md"))) == []


@pytest.mark.parametrize("page", [*PAGES, *(f"docs/decisions/{path.name}" for path in sorted((DOCS / "decisions").glob("*.md")))])
def test_no_link_leads_nowhere(page: str) -> None:
    assert dead_links(page, _read(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_named_exists(page: str) -> None:
    assert dead_paths(page, _read(page)) == []


def test_a_table_that_nobody_explains_is_found() -> None:
    glossary = "| Pupil | `Pupil` (`pupil`) |\n```\n`Child` `child`\n```\n| Read | ReadLog |"
    assert missing_models(glossary, [("Pupil", "pupil"), ("Child", "child"), ("ReadLog", "read_log")]) == [
        "Child (child)",
        "ReadLog (read_log)",
    ]


def test_a_page_that_no_index_lists_is_found() -> None:
    assert unlisted("[a](a.md)", ["a.md", "b.md"]) == ["b.md"]


def test_a_folder_that_is_not_on_the_map_is_found() -> None:
    assert {"portal/db", "portal/web", "workers"} <= mapped_folders("| `portal/{db,web}/` | x |\n| `workers/` | y |")
    assert "portal/jobs" not in mapped_folders("| `portal/{db,web}/` | x |")


def test_a_dead_link_and_a_dead_path_are_found() -> None:
    text = (
        "[old](old.md) [here](glossary.md) [out](https://www.gov.uk) `portal/capabilities.py` `portal/tallies.py` `portal/<name>/`"
    )
    assert dead_links("docs/planted.md", text) == ["docs/planted.md: old.md"]
    assert dead_paths("docs/planted.md", text) == ["docs/planted.md: portal/tallies.py"]
