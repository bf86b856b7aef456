"""What `docs/add-a-capability.md` adds to a copy of the portal works there, in four places."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT
from tests.made_up import document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.made_up.document import Block

pytestmark = pytest.mark.slow

#: What may differ from the portal: the folder with its tests, the list, the migration, and the pages about the code.
EVERY_PLACE = ("portal/breakfasts/", "tests/breakfasts/", "portal/capabilities.py", "migrations/", "README.md", "docs/")
PYTEST = ("-m", "pytest", "-n", "0", "-p", "no:cacheprovider")
SWEEPS = "tests/abuse/test_tenancy.py"
#: The guards that read the list of capabilities, the tables or the addresses, and so look at the new ones by themselves.
GUARDS = (
    "tests/architecture/test_tenancy.py",
    "tests/architecture/test_policies.py",
    "tests/architecture/test_catalogue.py",
    "tests/architecture/test_columns.py",
    "tests/architecture/test_holdings.py",
    "tests/architecture/test_unique_keys.py",
    "tests/architecture/test_imports.py",
    "tests/architecture/test_routes.py",
    "tests/architecture/test_docs.py",
    "tests/architecture/test_permissions_page.py",
    "tests/architecture/test_picture.py",
    "tests/migrations/test_schema.py",
    *(f"{SWEEPS}::test_objects_of_another_authority_are_not_found_by_any_role[{role}]" for role in ("la-manager", "partner")),
    f"{SWEEPS}::test_objects_of_another_school_are_not_found_by_school_roles[headteacher]",
    *(f"{SWEEPS}::test_own_pages_open_only_for_roles_with_the_permission[{role}]" for role in ("school-office", "partner")),
)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the copy, with the copy's own code."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=600)


def build(folder: Path, blocks: list[Block]) -> Path:
    """Copy the portal, and do what the document says."""
    document.copy_portal(folder)
    for block in blocks:
        document.write(folder, block)
    for command in document.commands():
        program, *arguments = shlex.split(command)
        assert program == "python"
        finished = run(folder, *arguments)
        assert finished.returncode == 0, finished.stderr
    return folder


def changed_files(folder: Path) -> set[str]:
    """The files of the copy that the portal has not, or has otherwise."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {name for name, path in names.items() if not (ROOT / name).exists() or (ROOT / name).read_bytes() != path.read_bytes()}


@pytest.fixture(scope="module")
def portal_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The portal with breakfasts."""
    folder = build(tmp_path_factory.mktemp("portal"), document.blocks())
    yield folder
    shutil.rmtree(folder)


def test_the_document_touches_four_places_and_no_other(portal_copy: Path) -> None:
    changed = changed_files(portal_copy)
    assert [name for name in changed if not name.startswith(EVERY_PLACE)] == []
    assert [path for path in EVERY_PLACE if not any(name.startswith(path) for name in changed)] == []


@pytest.mark.parametrize("step", ["ruff", "format", "words", "templates", "imports"])
def test_the_documents_code_passes_the_checks(portal_copy: Path, step: str) -> None:
    finished = run(portal_copy, "-m", "tests.architecture.check", step)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_new_capability_works_and_the_guards_look_at_it(portal_copy: Path) -> None:
    shutil.copy(ROOT / "tests" / "made_up" / "in_the_copy.py", portal_copy / "tests" / "breakfasts" / "test_breakfasts.py")
    finished = run(portal_copy, *PYTEST, "-rA", "tests/breakfasts", *GUARDS)
    assert finished.returncode == 0, finished.stdout[-6000:]
    for looked_at in (
        "test_a_row_cannot_be_added[without a scope-breakfast]",
        "test_a_neighbours_row_cannot_be_removed[breakfast]",
    ):
        assert looked_at in finished.stdout
    (portal_copy / "tests" / "breakfasts" / "test_breakfasts.py").unlink()


@pytest.mark.parametrize(
    ("path", "line", "guard", "fault"),
    [
        ("capability.py", "    holdings=", "tests/architecture/test_holdings.py --fast", "breakfast: no holding is declared"),
        ("capability.py", "    retention=", "tests/architecture/test_holdings.py --fast", "breakfast: no retention is declared"),
        ("models.py", "    __visible__ = ", "tests/architecture/test_holdings.py --fast", "say who may see its rows"),
        ("routes.py", '@needs("breakfasts.view")', "tests/architecture/test_routes.py", "These views need no permission"),
    ],
)
def test_what_is_left_out_is_found(portal_copy: Path, path: str, line: str, guard: str, fault: str) -> None:
    changed = portal_copy / "portal" / "breakfasts" / path
    text = changed.read_text(encoding="utf-8")
    remaining = [text_line for text_line in text.splitlines() if not text_line.startswith(line)]
    assert len(remaining) < len(text.splitlines())
    changed.write_text("\n".join(remaining) + "\n", encoding="utf-8")
    try:
        finished = run(portal_copy, *PYTEST, *guard.split())
    finally:
        changed.write_text(text, encoding="utf-8")
    assert finished.returncode != 0
    assert fault in finished.stdout + finished.stderr


def test_a_change_of_a_line_that_is_not_there_is_refused() -> None:
    change = " from a import b\n+from c import d\n"
    assert document.with_lines_added("x\nfrom a import b\ny\n", change) == "x\nfrom a import b\nfrom c import d\ny\n"
    for text in ("x\ny\n", "x\nfrom a import b\nfrom a import b\ny\n"):
        with pytest.raises(ValueError, match="not one line"):
            document.with_lines_added(text, change)
