"""The import contracts of pyproject.toml: the code keeps them, and a planted import breaks each."""

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

from tests.architecture import contracts, sources

if TYPE_CHECKING:
    from pathlib import Path

CONTRACTS = tomllib.loads(contracts.filled_in(sources.ROOT))["tool"]["importlinter"]["contracts"]
#: For each contract, a file and the import planted in it. (An exhaustive contract is broken by any new module.)
PLANTED = {
    "house": ("config/settings.py", "portal.platform.clock"),
    "capability": ("portal/audit/models.py", "portal.audit.queries"),
    "tables": ("portal/registers/domain/pages.py", "portal.pupils.models"),
    "addresses": ("portal/platform/health.py", "portal.schools.routes"),
    "no-flask": ("portal/security/permissions.py", "flask"),
    "workers": ("portal/web/headers.py", "workers.run"),
    "queue": ("portal/audit/actions.py", "redis"),
}


def run_linter(folder: Path) -> tuple[int, str]:
    """Run import-linter over the packages in a folder, and return its exit status and output."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "300", "NO_COLOR": "1"}
    finished = subprocess.run(
        [sys.executable, "-P", str(contracts.__file__)],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return finished.returncode, finished.stdout + finished.stderr


@pytest.fixture(scope="module")
def output_with_planted_imports(tmp_path_factory: pytest.TempPathFactory) -> str:
    """import-linter's output for a copy with every planted import."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(sources.ROOT / "pyproject.toml", folder)
    for source in sources.product():
        (folder / source.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / source.name).write_text(source.text, encoding="utf-8")
    for name, module in PLANTED.values():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\nimport {module}\n")
    status, output = run_linter(folder)
    assert status == 1, output
    return output


def table_imports(all_sources: tuple[sources.Source, ...]) -> list[str]:
    """Imports of tables from a `models` module outside queries and actions, which may import constants only."""
    faults = []
    allowed = {"migrations.tables", "portal.platform.due"}
    for source in all_sources:
        if re.search(r"\.(?:queries|actions|views|models)(?:\.|$)", source.module) or source.module in allowed:
            continue
        for node in source.tree.body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".models"):
                faults += [
                    f"{source.name}: takes the table {imported.name}" for imported in node.names if not imported.name.isupper()
                ]
    return faults


def test_every_contract_is_kept() -> None:
    status, output = run_linter(sources.ROOT)
    assert status == 0, output


def test_every_contract_has_a_planted_import() -> None:
    assert {contract["id"] for contract in CONTRACTS} == set(PLANTED)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: str(contract["id"]))
def test_a_planted_import_breaks_its_contract(output_with_planted_imports: str, contract: dict[str, str]) -> None:
    name, module = PLANTED[contract["id"]]
    importer = name.removesuffix(".py").replace("/", ".")
    assert f"{contract['name']} BROKEN" in output_with_planted_imports
    assert f"{importer} -> {module}" in output_with_planted_imports


def test_the_order_of_the_list_is_the_order_of_the_contract() -> None:
    planted = """
from dashboards.capability import DASHBOARDS
from portal.walks.capability import WALKS
from portal.audit.capability import AUDIT

CAPABILITIES: tuple[Capability, ...] = (AUDIT, WALKS, DASHBOARDS)
"""
    assert contracts.capability_packages(planted) == ["portal.audit", "portal.walks"]


def test_every_capability_has_its_contract() -> None:
    contained = {container for contract in CONTRACTS for container in contract.get("containers", [])}
    capabilities = {f"portal.{path.parent.name}" for path in (sources.ROOT / "portal").glob("*/models.py")} - {"portal.platform"}
    assert capabilities <= contained


def test_only_constants_are_imported_from_models() -> None:
    assert table_imports(sources.product()) == []


def test_an_imported_table_is_found() -> None:
    planted = sources.Source("portal/pupils/routes.py", '"""One."""\nfrom portal.pupils.models import CHARACTERISTICS, Pupil\n')
    assert table_imports((planted,)) == ["portal/pupils/routes.py: takes the table Pupil"]
