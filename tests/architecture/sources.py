"""The repository's files as text, and its Python modules, each parsed once."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The packages of the product, without tests and bench.
PACKAGES = ("config", "dashboards", "demo", "local", "migrations", "portal", "workers")
#: Folders that running the portal or its tools makes.
GENERATED_FOLDERS = {
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
    """One Python file: its name, its text and its syntax tree."""

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
def repository_files() -> tuple[Path, ...]:
    """Every file that git would commit; without git, every file outside the generated folders."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607  whichever git this machine has
            cwd=ROOT,
            capture_output=True,
            check=False,
            text=True,
        )
        if listing.returncode == 0:
            paths = [ROOT / name for name in listing.stdout.split("\0") if name]
            return tuple(sorted(path for path in paths if path.is_file()))
    all_files = (path for path in ROOT.rglob("*") if path.is_file() and not GENERATED_FOLDERS & set(path.relative_to(ROOT).parts))
    return tuple(sorted(path for path in all_files if ".egg-info" not in str(path)))


def relative_name(path: Path) -> str:
    """A file's path in the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def python() -> tuple[Source, ...]:
    """Every Python file, tests and bench included."""
    return tuple(
        Source(relative_name(path), path.read_text(encoding="utf-8")) for path in repository_files() if path.suffix == ".py"
    )


@cache
def product() -> tuple[Source, ...]:
    """The product's Python files."""
    return tuple(source for source in python() if source.name.split("/")[0] in PACKAGES)


def calls_of(source: Source, name: str) -> list[str]:
    """Where a module calls a function of this name: `module.function`, or the module alone outside any function."""
    callers: list[str] = []

    def visit(node: ast.AST, caller: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                visit(child, f"{caller}.{child.name}")
                continue
            if isinstance(child, ast.Call) and called(child) == name:
                callers.append(caller)
            visit(child, caller)

    visit(source.tree, source.module)
    return callers


def called(node: ast.Call) -> str:
    """The last part of the name that is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


#: A suppression of a checker: its code, and the reason after it on the line. `fmt: skip` does not count, because it leaves
#: no check out.
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|nosec|pragma|ruff:)(?P<rest>.*)$")
REASON = re.compile(r"(?:\[[a-z, -]+\]|:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)[\s#-]*(?P<why>\S.{3,})$")
