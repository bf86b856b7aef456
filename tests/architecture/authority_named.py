"""Finds SQL texts, COPY targets and joins over owned tables that do not name the authority.

A distributed database sends a statement to one machine by its `authority_id`; a statement that names none goes to all.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tests.architecture.sources import Source

PLACEHOLDER = "{}"
#: Where a SQL text names a table, and the short name it gives it. Keywords are in capitals, as ours are; prose is not.
NAMED_TABLE = re.compile(
    r'\b(?:FROM|JOIN|INTO|UPDATE|COPY)\s+"?(?P<table>\w+|\{\})"?'
    r"(?:\s+(?:AS\s+)?(?!(?:WHERE|SET|ON|JOIN|LEFT|CROSS|WITH|GROUP|ORDER|LIMIT|VALUES|SELECT|FROM|USING|UNION)\b)(?P<alias>[a-z]\w*))?"
)


def faults(source: Source, classes: Collection[str], tables: Collection[str]) -> list[str]:
    """What a file does with owned tables without naming the authority, each a sentence with file and line."""
    sentences = [*_texts(source.tree, tables), *_comparisons(source.tree, _models(source.tree, classes))]
    return [f"{source.name}:{line}: {fault}" for line, fault in sorted(set(sentences))]


def _texts(tree: ast.Module, tables: Collection[str]) -> Iterator[tuple[int, str]]:
    inside_f_strings = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr | ast.Constant) or id(node) in inside_f_strings:
            continue
        yield from (
            (node.lineno, f"the text over {table} does not name {column}") for table, column in unnamed_tables(_text(node), tables)
        )


def unnamed_tables(text: str, tables: Collection[str], *, qualified: bool = False) -> list[tuple[str, str]]:
    """Owned tables in a SQL text whose authority it does not name, with the column to name.

    `qualified` where every column in the text is written with its table, as SQLAlchemy does.
    """
    if "WITH NO DATA" in text:  # reads no rows
        return []
    unnamed = []
    for match in NAMED_TABLE.finditer(text):
        table, alias = match["table"], match["alias"] or (match["table"] if qualified else None)
        column = f"{alias}.authority_id" if alias and not text.startswith("INSERT") else "authority_id"
        if table in {*tables, PLACEHOLDER} and column not in text:
            unnamed.append((table, column))
    return unnamed


def _text(node: ast.JoinedStr | ast.Constant) -> str:
    """A literal's text, with a placeholder for each part that is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(
        part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else PLACEHOLDER for part in node.values
    )


def _models(tree: ast.Module, classes: Collection[str]) -> set[str]:
    """The names by which a file calls owned models: as imported, and aliases of them."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".models")
        for alias in node.names
        if alias.name in classes
    }
    for node in ast.walk(tree):
        is_alias = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _called(node.value) == "aliased"
        if is_alias and isinstance(node.targets[0], ast.Name):
            names.add(node.targets[0].id)
    return names


def _comparisons(tree: ast.Module, models: set[str]) -> Iterator[tuple[int, str]]:
    """Joins without a condition, and columns of two tables set equal where their authorities are not."""
    for statement in _statements(tree):
        nodes = list(ast.walk(statement))
        pairs = [(node.lineno, *_sides(node, models)) for node in nodes if isinstance(node, ast.Compare)]
        of_one_authority = {frozenset((left, right)) for _, left, right, column in pairs if column == "authority_id"}
        for line, left, right, _ in pairs:
            if left and right and left != right and frozenset((left, right)) not in of_one_authority:
                yield line, f"{left} and {right} are joined without their authority_id"
        for node in nodes:
            is_join = isinstance(node, ast.Call) and _called(node) in {"join", "outerjoin"} and len(node.args) == 1
            joined = node.args[0] if is_join and isinstance(node, ast.Call) else None
            if isinstance(joined, ast.Name) and joined.id in models:
                yield joined.lineno, f"{joined.id} is joined without a condition"


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Each simple statement, and the heads of those with a body."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            yield node.iter
        elif isinstance(node, ast.If | ast.While):
            yield node.test
        elif isinstance(node, ast.With):
            yield from (item.context_expr for item in node.items)
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node


def _sides(node: ast.Compare, models: set[str]) -> tuple[str, str, str]:
    """The tables of the sides of `A.x == B.y`, and the column where it is the same.

    A side that is no column of a table is empty.
    """
    if not isinstance(node.ops[0], ast.Eq):
        return "", "", ""
    (left, left_column), (right, right_column) = _column(node.left, models), _column(node.comparators[0], models)
    return left, right, left_column if left_column == right_column else ""


def _column(node: ast.expr, models: set[str]) -> tuple[str, str]:
    """The table and column that an expression names: `Model.column`, or `subquery.c.column`."""
    if not isinstance(node, ast.Attribute):
        return "", ""
    owner = node.value
    if isinstance(owner, ast.Attribute) and owner.attr == "c" and isinstance(owner.value, ast.Name):
        return owner.value.id, node.attr
    return (owner.id, node.attr) if isinstance(owner, ast.Name) and owner.id in models else ("", "")


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
