"""Measures the code: sizes of files and functions, docstrings, annotations, comments, suppressions, commits."""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from typing import TYPE_CHECKING

from tests.architecture import sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.architecture.sources import Source

SUPPRESSIONS = {
    "noqa": re.compile(r"#\s*noqa\b"),
    "type: ignore": re.compile(r"#\s*type:\s*ignore\b"),
    "fmt: skip": re.compile(r"#\s*fmt:\s*skip\b"),
}
#: How many commits are looked at.
COMMITS = 100

Function = ast.FunctionDef | ast.AsyncFunctionDef
Row = tuple[str, str]


def main() -> int:
    """Print the table: the product's files, and its tests beside them."""
    tests = [source for source in sources.python() if source.name.startswith("tests/")]
    for name, value in table(sources.product(), tests):
        sys.stdout.write(f"{name:<30} {value}\n")
    return 0


def table(product: Sequence[Source], tests: Sequence[Source]) -> list[Row]:
    """The rows of the table, each a name and what was measured."""
    lines = sum(len(source.lines) for source in product)
    comments = [comment for source in product for comment in comments_of(source)]
    suppressions = [
        (name, str(sum(bool(pattern.search(comment)) for comment in comments))) for name, pattern in SUPPRESSIONS.items()
    ]
    test_lines = sum(len(source.lines) for source in tests)
    return [
        *_file_rows(product, lines),
        *_function_rows(functions_of(product)),
        ("comment lines", _percent(len(comments), lines)),
        *suppressions,
        ("tests : application", f"{test_lines / lines:.2f}"),
        ("commits without a body", commits_without_body()),
    ]


def _file_rows(product: Sequence[Source], lines: int) -> list[Row]:
    lengths = sorted(len(source.lines) for source in product)
    biggest = max(product, key=lambda source: len(source.lines))
    documented = sum(ast.get_docstring(source.tree) is not None for source in product)
    return [
        ("files", str(len(product))),
        ("lines", f"{lines:,}"),
        ("lines of a file, median", f"{statistics.median(lengths):.0f}"),
        ("lines of a file, p90", str(_p90(lengths))),
        ("biggest file", f"{len(biggest.lines)} ({biggest.name})"),
        ("modules with a docstring", _percent(documented, len(product))),
    ]


def _function_rows(functions: Sequence[Function]) -> list[Row]:
    lengths = [(function.end_lineno or function.lineno) - function.lineno + 1 for function in functions]
    documented = sum(ast.get_docstring(function) is not None for function in functions)
    annotated = sum(is_annotated(function) for function in functions)
    return [
        ("functions", f"{len(functions):,}"),
        ("lines of a function, median", f"{statistics.median(lengths):.0f}"),
        ("functions over 40 lines", str(sum(length > 40 for length in lengths))),
        ("functions over 60 lines", str(sum(length > 60 for length in lengths))),
        ("functions with a docstring", _percent(documented, len(functions))),
        ("functions annotated", _percent(annotated, len(functions))),
    ]


def functions_of(product: Iterable[Source]) -> list[Function]:
    """Every function and method, inner ones included."""
    return [node for source in product for node in ast.walk(source.tree) if isinstance(node, Function)]


def is_annotated(function: Function) -> bool:
    """Has it a return type, and a type for every argument but `self` and `cls`?"""
    signature = function.args
    arguments = [*signature.posonlyargs, *signature.args, *signature.kwonlyargs, signature.vararg, signature.kwarg]
    untyped = {argument.arg for argument in arguments if argument and argument.annotation is None}
    return function.returns is not None and untyped <= {"self", "cls"}


def comments_of(source: Source) -> list[str]:
    """The file's comments; a `#` inside a string is not one."""
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def commits_without_body() -> str:
    """How many of the last commits say what and not why; merges are left out."""
    command = ["git", "log", "--no-merges", f"-{COMMITS}", "--format=%b%x00"]
    git = subprocess.run(command, cwd=sources.ROOT, capture_output=True, text=True, check=False)
    if git.returncode:
        return "unknown: this is no git repository"
    bodies = git.stdout.split("\0")[:-1]
    return f"{sum(not body.strip() for body in bodies)} of the last {len(bodies)}"


def _p90(lengths: Sequence[int]) -> int:
    return lengths[min(len(lengths) - 1, len(lengths) * 9 // 10)]


def _percent(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}%"


if __name__ == "__main__":
    sys.exit(main())
