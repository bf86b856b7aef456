"""Lints the Jinja templates: djlint, their syntax, long lines, and drop-down lists written by hand."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from jinja2 import Environment, TemplateSyntaxError
from jinja2.nodes import Name

from tests.architecture import sources
from tests.architecture.plain_words import BANNED_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_LINE = 200
#: A drop-down list outside the fields, which check what an address or a form sends.
SELECT_BY_HAND = re.compile(r"<select\b|govuk\([\"']select")
#: Templates with longer lines, and how many each has. Shorten them and lower the number; never add one.
LONG_LINES = {
    "portal/accounts/templates/accounts/account.html": 1,
    "portal/accounts/templates/accounts/authorities.html": 1,
    "portal/accounts/templates/accounts/choose.html": 2,
    "portal/accounts/templates/accounts/reset_asked.html": 1,
    "portal/accounts/templates/accounts/sign_in.html": 1,
    "portal/audit/templates/audit/index.html": 1,
    "portal/benchmarks/templates/benchmarks/index.html": 1,
    "portal/benchmarks/templates/benchmarks/new.html": 1,
    "portal/benchmarks/templates/benchmarks/show.html": 1,
    "portal/pupils/templates/pupils/contacts.html": 1,
    "portal/schools/templates/schools/import.html": 2,
    "portal/schools/templates/schools/import_dates.html": 1,
    "portal/schools/templates/schools/index.html": 1,
    "portal/web/templates/components.html": 3,
    "portal/web/templates/layout.html": 1,
    "portal/web/templates/web/accessibility.html": 2,
    "portal/web/templates/web/guides/la-manager.html": 1,
    "portal/web/templates/web/privacy.html": 4,
}


def templates() -> dict[str, str]:
    """The text of every template, by its path in the repository."""
    paths = [path for path in sources.repository_files() if path.suffix == ".html" and "templates" in path.parts]
    return {sources.relative_name(path): path.read_text(encoding="utf-8") for path in paths}


def faults(texts: Mapping[str, str], long_lines: Mapping[str, int]) -> list[str]:
    """Syntax errors, and templates whose number of long lines differs from the list."""
    all_faults = []
    for name, text in texts.items():
        count = sum(len(line) > LONGEST_LINE for line in text.splitlines())
        allowed = long_lines.get(name, 0)
        all_faults += [f"{name}: a filter or form by hand, use a field of portal.web.fields" for _ in SELECT_BY_HAND.finditer(text)]
        if count > allowed:
            all_faults.append(f"{name}: {count} lines over {LONGEST_LINE} characters, {allowed} allowed")
        if count < allowed:
            all_faults.append(f"{name}: only {count} long lines are left: lower its number in LONG_LINES from {allowed}")
        try:
            tree = Environment(autoescape=True).parse(text)
        except TemplateSyntaxError as error:
            all_faults.append(f"{name}:{error.lineno}: {error.message}")
        else:
            vague = sorted({(node.lineno, node.name) for node in tree.find_all(Name) if node.name in BANNED_NAMES})
            all_faults += [f"{name}:{line}: name `{variable}` does not say what it holds" for line, variable in vague]
    all_faults += [f"{name}: remove it from LONG_LINES, it does not exist" for name in long_lines if name not in texts]
    return all_faults


def main() -> int:
    """Print what djlint and the rules above find; end with 1 when there is a fault."""
    all_faults = faults(templates(), LONG_LINES)
    sys.stdout.writelines(f"{fault}\n" for fault in all_faults)
    sys.stdout.flush()
    folders = [str(sources.ROOT / package) for package in sources.PACKAGES]
    djlint = subprocess.run([sys.executable, "-m", "djlint", "--lint", "--quiet", *folders], cwd=sources.ROOT, check=False)
    return 1 if all_faults or djlint.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
