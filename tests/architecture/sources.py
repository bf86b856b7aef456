"""The repository as text: which files are ours, and the modules among them, parsed once."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: What the product is made of, apart from its tests and its bench.
PACKAGES = ("config", "dashboards", "migrations", "portal", "workers")
#: Folders that are made by running the portal, not written.
MADE = {
    ".git",
    ".venv",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".import_linter_cache",
    "shots",
}


@dataclass(frozen=True)
class Source:
    """One Python file: where it is, its text and its syntax tree."""

    name: str
    text: str

    @property
    def lines(self) -> list[str]:
        """The file's lines."""
        return self.text.splitlines()

    @property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return _parsed(self.text)

    @property
    def module(self) -> str:
        """The dotted name it is imported by."""
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def ours() -> tuple[Path, ...]:
    """Every file of the repository, as git would commit it; where there is no git, every file that nothing made."""
    if (ROOT / ".git").exists():
        told = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607  whichever git this machine has
            cwd=ROOT,
            capture_output=True,
            check=False,
            text=True,
        )
        if told.returncode == 0:
            found = [ROOT / name for name in told.stdout.split("\0") if name]
            return tuple(sorted(path for path in found if path.is_file()))
    every = (path for path in ROOT.rglob("*") if path.is_file() and not MADE & set(path.relative_to(ROOT).parts))
    return tuple(sorted(path for path in every if ".egg-info" not in str(path)))


def name_of(path: Path) -> str:
    """A file's place in the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def python() -> tuple[Source, ...]:
    """Every Python file, tests and bench included."""
    return tuple(Source(name_of(path), path.read_text(encoding="utf-8")) for path in ours() if path.suffix == ".py")


@cache
def product() -> tuple[Source, ...]:
    """The Python files the portal runs."""
    return tuple(one for one in python() if one.name.split("/")[0] in PACKAGES)


def calls_of(source: Source, name: str) -> list[str]:
    """Where a module calls a function of this name: `module.function`, or the module alone outside any function."""
    found: list[str] = []

    def look(node: ast.AST, inside: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                look(child, f"{inside}.{child.name}")
                continue
            if isinstance(child, ast.Call) and called(child) == name:
                found.append(inside)
            look(child, inside)

    look(source.tree, source.module)
    return found


def called(node: ast.Call) -> str:
    """The last part of the name that is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


#: A suppression of a checker: its code, and the reason that follows it on the line. (Asking the formatter to leave a
#: table alone is not one.)
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|nosec|pragma|ruff:)(?P<rest>.*)$")
REASON = re.compile(r"(?:\[[a-z, -]+\]|:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)[\s#-]*(?P<why>\S.{3,})$")
