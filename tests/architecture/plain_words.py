"""Finds names and docstrings that are not in plain words."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from tests.architecture import sources
from tests.architecture.sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names that do not tell what they hold. Name a variable for its content: `upload`, `school`, `column`.
BANNED_NAMES = frozenset(
    {
        *("ahead", "anew", "apart", "asked", "beside", "both", "chosen", "each", "found", "given", "heard", "held", "here"),
        *("kept", "known", "likeness", "made", "mine", "more", "most", "named", "one", "ones", "other", "others", "ours"),
        *("place", "places", "rest", "said", "same", "seen", "shown", "some", "spot", "spots", "taken", "theirs", "there"),
        *("thing", "things", "tie", "ties", "told", "wanted", "what", "which", "who", "whole", "whom"),
    }
)
#: Names the project has replaced. An identifier that is one of them, with or without underscores around it, is refused.
OLD_NAMES: tuple[str, ...] = ()
#: Words that make a docstring hard to read.
BANNED_DOCSTRING_WORDS = re.compile(
    r"\b(?:anew|hereby|knocks|ours|shrinks?|somebody|theirs|thereof|whatever|whoever|wish(?:es)?)\b", re.IGNORECASE
)
LONGEST_FIRST_SENTENCE = 18


class Fault(NamedTuple):
    """A line that is not plain, and why."""

    line: int
    message: str


def faults(source: Source, old_names: tuple[str, ...] = OLD_NAMES) -> list[str]:
    """Everything in a file that is not plain, in the order of its lines."""
    all_faults = sorted({*_name_faults(source.tree, old_names), *_docstring_faults(source.tree)})
    return [f"{source.name}:{fault.line}: {fault.message}" for fault in all_faults]


def _name_faults(tree: ast.Module, old_names: tuple[str, ...]) -> Iterator[Fault]:
    for node in ast.walk(tree):
        for kind, name, line in _defined_names(node):
            bare_name = name.strip("_")
            if bare_name in BANNED_NAMES:
                yield Fault(line, f"{kind} `{name}` does not say what it holds")
            if bare_name in old_names:
                yield Fault(line, f"{kind} `{name}` is an old name")


def _defined_names(node: ast.AST) -> Iterator[tuple[str, str, int]]:
    """The names that a node gives to something, each with its kind and its line."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield "name", name, node.lineno
        case ast.Attribute(attr=name, ctx=ast.Store(), value=ast.Name(id="self")):
            yield "field", name, node.lineno
        case ast.arg(arg=name):
            yield "argument", name, node.lineno
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield "function", name, node.lineno
        case ast.ClassDef(name=name):
            yield "class", name, node.lineno
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield "name", name, node.lineno
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (("import", alias.asname, node.lineno) for alias in aliases if alias.asname)


def _docstring_faults(tree: ast.Module) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        docstring = ast.get_docstring(node) or ""
        line = getattr(node, "lineno", 1)
        length = len(first_sentence(docstring).split())
        if length > LONGEST_FIRST_SENTENCE:
            yield Fault(line, f"the docstring's first sentence has {length} words: at most {LONGEST_FIRST_SENTENCE}")
        for word in BANNED_DOCSTRING_WORDS.findall(docstring):
            yield Fault(line, f"the docstring says “{word}”: use a plain word")


def first_sentence(docstring: str) -> str:
    """The docstring up to the first full stop or question mark that a space follows."""
    return re.split(r"(?<=[.?!])\s", docstring.replace("\n", " "), maxsplit=1)[0]


def checked_sources() -> list[Source]:
    """Every Python file of the repository, `run` included."""
    run_script = Source("run", (sources.ROOT / "run").read_text(encoding="utf-8"))
    return [run_script, *sources.python()]


def main() -> int:
    """Print every fault; end with 1 when there is one."""
    all_faults = [fault for source in checked_sources() for fault in faults(source)]
    sys.stdout.writelines(f"{fault}\n" for fault in all_faults)
    sys.stdout.write(f"{len(all_faults)} names and docstrings are not plain.\n" if all_faults else "Every name is plain.\n")
    return 1 if all_faults else 0


if __name__ == "__main__":
    sys.exit(main())
