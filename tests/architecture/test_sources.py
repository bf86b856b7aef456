"""Conventions of every Python file: its length, its docstring, its imports, and a reason for each suppression."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture import sources
from tests.architecture.sources import Source

MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 40
#: Files that may be longer than the limit. The list only shrinks.
LONGER_FILES: dict[str, str] = {}
#: Here a function is a table of cases, and may be long.
TABLES_OF_CASES = "tests/rules/casebook/"
#: The number of suppressions allowed in the product. It only falls.
MAX_SUPPRESSIONS = 80
#: The name of a month in a format, and the modules that write one: the words of dates, and a chart's axis drawn by Plotly.
MONTH_FORMAT = re.compile(r"%-?[Bb]\b")
MONTH_FORMATS_IN = frozenset({"portal/rules/date_words.py", "dashboards/figures.py"})
VAGUE_NAMES = re.compile(r"(?:^|_)(?:utils?|helpers?|common|misc|base|managers?|services?|handlers?|data|info|process|do)(?:_|$)")
#: Words for unfinished work, put together from parts so that this line is not found itself.
UNFINISHED = re.compile(rf"\b(?:{'TO'}DO|{'FIX'}ME|{'HA'}CK)\b")


def faults(source: Source) -> list[str]:
    """What is wrong with a file, each a sentence that begins with its name and line."""
    faults_found = [f"{source.name}: {fault}" for fault in (*_shape(source), *_names(source))]
    faults_found += [f"{source.name}:{line}: {fault}" for line, fault in (*_functions(source), *_imports(source), *_lines(source))]
    return faults_found


def _shape(source: Source) -> list[str]:
    faults_found = []
    body = source.tree.body
    first = body[0] if body else None
    if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)):
        faults_found.append("the first statement is a docstring saying what the file owns")
    if len(source.lines) > MAX_FILE_LINES and source.name not in LONGER_FILES:
        faults_found.append(f"{len(source.lines)} lines: at most {MAX_FILE_LINES}")
    return faults_found


def _names(source: Source) -> list[str]:
    stem = source.module.rsplit(".", 1)[-1]
    return [f"“{stem}” says nothing of what is inside"] if VAGUE_NAMES.search(stem) else []


def _functions(source: Source) -> list[tuple[int, str]]:
    faults_found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES and not source.name.startswith(TABLES_OF_CASES):
                faults_found.append((node.lineno, f"{node.name} has {length} lines: at most {MAX_FUNCTION_LINES}"))
    return faults_found


def _imports(source: Source) -> list[tuple[int, str]]:
    faults_found = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        faults_found += [
            (inner.lineno, f"{node.name} imports inside: imports stand at the top")
            for inner in ast.walk(node)
            if isinstance(inner, ast.Import | ast.ImportFrom)
        ]
    return faults_found


def _lines(source: Source) -> list[tuple[int, str]]:
    faults_found = [
        (node.lineno, "print: log, or return it") for node in ast.walk(source.tree) if isinstance(node, ast.Call) and _prints(node)
    ]
    for number, line in enumerate(source.lines, start=1):
        if UNFINISHED.search(line):
            faults_found.append((number, "unfinished: finish it, or say in a decision that it is not done"))
        if MONTH_FORMAT.search(line) and source.name.startswith(("portal/", "dashboards/")) and source.name not in MONTH_FORMATS_IN:
            faults_found.append((number, "a date in words: take it from portal.rules.date_words"))
        if is_unexplained(line):
            faults_found.append((number, "a suppression gives its reason beside it"))
    return faults_found


def _prints(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "print"


def is_unexplained(line: str) -> bool:
    """Does this line switch a checker off without a code, or without saying why?"""
    match = sources.SUPPRESSION.search(line)
    if match is None or _inside_text(line, match.start()):
        return False
    return sources.REASON.match(match.group("rest")) is None


def _inside_text(line: str, position: int) -> bool:
    """Is this position inside quotation marks? Counting them is exact enough for this project's lines."""
    return line[:position].count('"') % 2 == 1


def suppressions(all_sources: tuple[Source, ...]) -> list[str]:
    """Every line of these files that switches a checker off."""
    return [
        f"{source.name}:{number}"
        for source in all_sources
        for number, line in enumerate(source.lines, start=1)
        if (match := sources.SUPPRESSION.search(line)) and not _inside_text(line, match.start())
    ]


def test_every_file_keeps_the_conventions() -> None:
    assert [fault for source in sources.python() for fault in faults(source)] == []


def test_the_longer_files_are_still_longer() -> None:
    lengths = {source.name: len(source.lines) for source in sources.python()}
    assert [name for name in LONGER_FILES if lengths.get(name, 0) <= MAX_FILE_LINES] == []


def test_suppressions_stay_within_the_budget() -> None:
    counted = suppressions(sources.product())
    assert len(counted) <= MAX_SUPPRESSIONS, f"{len(counted)} suppressions, {MAX_SUPPRESSIONS} allowed: {counted}"


def test_the_product_files_are_checked() -> None:
    names = {source.name for source in sources.product()}
    assert {"portal/db/work.py", "workers/run.py", "dashboards/mount.py", "config/settings.py", "migrations/owned.py"} <= names


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("portal/pupils/one.py", "x = 1\n", "first statement is a docstring"),
        ("portal/pupils/one.py", '"""One."""\n' + "x = 1\n" * 400, "at most 400"),
        ("portal/pupils/one.py", '"""One."""\ndef f():\n' + "    x = 1\n" * 40, "at most 40"),
        ("portal/pupils/one.py", '"""One."""\ndef f():\n    import os\n', "imports stand at the top"),
        ("portal/pupils/one.py", '"""One."""\nprint(1)\n', "print"),
        ("portal/pupils/one.py", '"""One."""\n# TO' + "DO: later\n", "unfinished"),
        ("portal/pupils/one.py", '"""One."""\nx = 1  # no' + "qa\n", "reason"),
        ("portal/pupils/one.py", '"""One."""\nx = 1  # no' + "qa: S101\n", "reason"),
        ("portal/pupils/one.py", '"""One."""\nx = 1  # type' + ": ignore[misc]\n", "reason"),
        ("portal/pupils/one.py", '"""One."""\nx = f"{on.day} {on:%B %Y}"\n', "portal.rules.date_words"),
        ("portal/pupils/helpers.py", '"""One."""\n', "says nothing"),
        ("portal/pupils/mark_utils.py", '"""One."""\n', "says nothing"),
    ],
)
def test_the_guard_can_fail(name: str, text: str, expected: str) -> None:
    assert any(expected in fault for fault in faults(Source(name, text)))


@pytest.mark.parametrize(
    "line",
    [
        "x = 1",
        "x = 1  # no" + "qa: S101  a reason",
        "x = 1  # type" + ": ignore[misc]  # a reason",
        "x = 1  # no" + "qa: S1, PLR2004 -- a reason",
    ],
)
def test_a_suppression_with_its_reason_passes(line: str) -> None:
    assert faults(Source("portal/pupils/one.py", f'"""One."""\n{line}\n')) == []


def test_a_suppression_is_counted() -> None:
    assert len(suppressions((Source("one.py", "x = 1  # no" + "qa: S101  a reason\ny = 2\n"),))) == 1
