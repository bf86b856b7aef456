"""The numbers of the law stand in the rules alone; everything else asks them there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Names that hold a number of the law, wherever they are assigned.
NAMED = re.compile(r"^_?THRESHOLD|WINDOW_WEEKS|RECENT_WEEKS|PERSISTENT|SEVERE|HEADLINE_AGE|YEAR_11|YOUNGEST|OLDEST")
SOURCES = [
    path
    for folder in ("portal", "dashboards", "workers")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "rules" not in path.relative_to(ROOT).parts
]


def strays(source: str) -> list[str]:
    """Assignments of a number to such a name, and comparisons of ten or two times some sessions."""
    strays_seen = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(isinstance(part, ast.Constant) for part in _parts(node.value)):
            names = [ast.unparse(name) for target in node.targets for name in _parts(target)]
            strays_seen += [name for name in names if NAMED.search(name)]
        if isinstance(node, ast.Compare) and any(isinstance(operator, ast.GtE | ast.Lt) for operator in node.ops):
            strays_seen += [ast.unparse(node) for side in (node.left, *node.comparators) if _is_multiplied(side)]
    return strays_seen


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _is_multiplied(node: ast.expr) -> bool:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return False
    is_ten_or_two = any(isinstance(side, ast.Constant) and side.value in {2, 10} for side in (node.left, node.right))
    return is_ten_or_two and re.search(r"absen|miss|possible|session", ast.unparse(node)) is not None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_number_of_the_law_is_written_outside_the_rules(path: Path) -> None:
    assert strays(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source", ["THRESHOLD, WEEKS = 10, 10", "RECENT_WEEKS = 10", "self.absent * 10 >= possible", "possible < absent * 2"]
)
def test_the_guard_can_fail(source: str) -> None:
    assert strays(source)


@pytest.mark.parametrize("source", ["THRESHOLD = rules.THRESHOLD", "a * line.out_of >= b * line.parts", "2 * age >= 11"])
def test_the_guard_lets_pass_what_asks_the_rules(source: str) -> None:
    assert not strays(source)
