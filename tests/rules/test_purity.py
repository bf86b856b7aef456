"""The rules stay pure: only allowed imports, no clock, and answers that explain themselves."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

import portal.rules

FOLDER = Path(portal.rules.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
ALLOWED = {
    "__future__", "bisect", "calendar", "collections", "collections.abc", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "itertools", "json", "types", "typing", "unicodedata",
}  # fmt: skip
FORBIDDEN_CALLS = {"today", "now", "utcnow", "open", "print", "input"}


def faults(source: str) -> list[str]:
    """Imports and calls of a module that the rules may not make."""
    faults_seen = []
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        faults_seen += [name for name in names if name not in ALLOWED and not name.startswith("portal.rules")]
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            faults_seen += [f"{called}()"] * (called in FORBIDDEN_CALLS)
    return faults_seen


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_the_standard_library_and_the_rules(module: str) -> None:
    assert not faults((FOLDER / f"{module}.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "source",
    ["import numpy", "from portal import clock", "from portal.db import tx", "date.today()", "open('x')", "print(1)"],
)
def test_the_guard_can_fail(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize("module", MODULES)
def test_every_dataclass_is_frozen_and_every_answer_explains_itself(module: str) -> None:
    loaded = import_module(f"portal.rules.{module}")
    for name, kind in inspect.getmembers(loaded, inspect.isclass):
        if kind.__module__ != loaded.__name__ or not is_dataclass(kind):
            continue
        assert kind.__dataclass_params__.frozen, name  # type: ignore[attr-defined]  # set by dataclass
        assert fields(kind), name
        assert kind.__doc__, name
        if hasattr(kind, "facts"):
            assert hasattr(kind, "sentence"), name
            assert hasattr(kind, "sources"), name
