"""The import law, as pyproject.toml states it: kept by the code, and each contract shown to break on a planted import."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.architecture import sources

if TYPE_CHECKING:
    from pathlib import Path

LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
CONTRACTS = tomllib.loads((sources.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
#: For each contract, the file that breaks it and the import planted there. (A new module breaks an exhaustive contract by being.)
PLANTED = {
    "house": ("config/settings.py", "portal.clock"),
    "portal": ("portal/planted.py", "portal.rules"),
    "inside-audit": ("portal/audit/models.py", "portal.audit.queries"),
    "inside-accounts": ("portal/accounts/models.py", "portal.accounts.queries.people"),
    "inside-schools": ("portal/schools/models.py", "portal.schools.queries"),
    "inside-pupils": ("portal/pupils/models.py", "portal.pupils.queries"),
    "inside-registers": ("portal/registers/models.py", "portal.registers.queries"),
    "inside-uploads": ("portal/uploads/models.py", "portal.uploads.queries"),
    "inside-benchmarks": ("portal/benchmarks/models.py", "portal.benchmarks.queries"),
    "tables": ("portal/registers/certificates.py", "portal.pupils.models"),
    "addresses": ("portal/health.py", "portal.schools.routes"),
    "no-flask": ("portal/permissions.py", "flask"),
    "queue": ("portal/audit/actions.py", "redis"),
}


def linted(folder: Path) -> tuple[int, str]:
    """Run import-linter over the packages in a folder: its exit status, and all it says."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "300", "NO_COLOR": "1"}
    told = subprocess.run(
        [sys.executable, "-c", LINT], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    return told.returncode, told.stdout + told.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy with every planted import in it."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(sources.ROOT / "pyproject.toml", folder)
    for source in sources.product():
        (folder / source.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / source.name).write_text(source.text, encoding="utf-8")
    for name, module in PLANTED.values():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {module}\n")
    status, said = linted(folder)
    assert status == 1, said
    return said


def table_imports(found: tuple[sources.Source, ...]) -> list[str]:
    """What is taken from a `models` module, as the program runs, outside queries and actions: only names of states may be."""
    faults = []
    for source in found:
        if re.search(r"\.(?:queries|actions|models)(?:\.|$)", source.module) or source.module in {
            "portal.registers.overview",
            "migrations.tables",
        }:
            continue
        for node in source.tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".models"):
                faults += [f"{source.name}: takes the table {one.name}" for one in node.names if not one.name.isupper()]
    return faults


def test_the_law_is_kept() -> None:
    status, said = linted(sources.ROOT)
    assert status == 0, said


def test_every_contract_has_a_planted_import() -> None:
    assert {contract["id"] for contract in CONTRACTS} == set(PLANTED)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract["id"]))
def test_a_planted_import_breaks_its_contract(broken: str, contract: dict[str, str]) -> None:
    name, module = PLANTED[contract["id"]]
    importer = name.removesuffix(".py").replace("/", ".")
    assert f"{contract['name']} BROKEN" in broken
    assert f"{importer} -> {module}" in broken or importer == "portal.planted"


def test_every_capability_has_its_contract() -> None:
    kept = {container for contract in CONTRACTS for container in contract.get("containers", [])}
    capabilities = {f"portal.{path.parent.name}" for path in (sources.ROOT / "portal").glob("*/models.py")}
    assert capabilities <= kept


def test_only_names_of_states_are_taken_from_models() -> None:
    assert table_imports(sources.product()) == []


def test_a_table_in_a_view_is_found() -> None:
    planted = sources.Source("portal/pupils/routes.py", '"""One."""\nfrom portal.pupils.models import CHARACTERISTICS, Pupil\n')
    assert table_imports((planted,)) == ["portal/pupils/routes.py: takes the table Pupil"]
