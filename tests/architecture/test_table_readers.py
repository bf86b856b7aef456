"""Only `portal.tabular` reads CSV and workbooks; everything else takes its rows."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import Source, product

READING_CALLS = {"csv.reader", "csv.DictReader", "csv.Sniffer", "pd.read_csv", "pd.read_excel"}
READING_PACKAGES = {"python_calamine", "openpyxl", "xlrd"}


def table_readers(all_sources: tuple[Source, ...]) -> list[str]:
    """Each place outside `portal.tabular` that reads a table by itself."""
    return [
        f"{source.name}:{node.lineno}"
        for source in all_sources
        if not source.module.startswith("portal.tabular.") and not source.name.startswith("bench/")
        for node in ast.walk(source.tree)
        if is_reading(node)
    ]


def is_reading(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in READING_PACKAGES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        names = {f"{node.module}.{alias.name}" for alias in node.names}
        return (node.module or "").partition(".")[0] in READING_PACKAGES or bool(names & READING_CALLS)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in READING_CALLS


def test_only_the_table_reader_reads_tables() -> None:
    assert table_readers(product()) == []


@pytest.mark.parametrize(
    "line",
    ["import python_calamine", "from openpyxl import load_workbook", "rows = csv.DictReader(lines)", "from csv import reader"],
)
def test_another_reader_is_found(line: str) -> None:
    assert table_readers((Source("portal/schools/domain/lists.py", f'"""One."""\n{line}\n'),)) == [
        "portal/schools/domain/lists.py:2"
    ]
