"""The linter of templates finds what it should."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture import sources, templates

if TYPE_CHECKING:
    from pathlib import Path

LONG_LINE = "a" * 201


@pytest.mark.parametrize(
    ("text", "allowed", "fault"),
    [
        (LONG_LINE, 0, "page.html: 1 lines over 200 characters, 0 allowed"),
        (f"{LONG_LINE}\n{LONG_LINE}", 1, "page.html: 2 lines over 200 characters, 1 allowed"),
        ("short", 1, "page.html: only 0 long lines are left: lower its number in LONG_LINES from 1"),
        ('<select id="year" name="year"></select>', 0, "page.html: a filter or form by hand"),
        ('{{ govuk("select", {"id": "year"}) }}', 0, "page.html: a filter or form by hand"),
        ("{% for one in uploads %}{% endfor %}", 0, "page.html:1: name `one` does not say what it holds"),
        ("{{ found.weeks }}", 0, "page.html:1: name `found` does not say what it holds"),
        ("\n{% if upload %}", 0, "page.html:2: Unexpected end of template"),
    ],
)
def test_a_planted_fault_is_found(text: str, allowed: int, fault: str) -> None:
    found_faults = templates.faults({"page.html": text}, {"page.html": allowed})
    assert [found_fault.startswith(fault) for found_fault in found_faults] == [True]


def test_a_template_that_is_gone_leaves_the_list() -> None:
    assert templates.faults({}, {"page.html": 1}) == ["page.html: remove it from LONG_LINES, it does not exist"]


def test_a_listed_long_line_passes() -> None:
    assert templates.faults({"page.html": LONG_LINE}, {"page.html": 1}) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<p><div>An orphan</p>", "H025"),
        ('<img src="picture.png" height="1" width="1">', "H013"),
        ("<p>{{name}}</p>", "T001"),
        ('<p style="color: red">Red</p>', "H021"),
    ],
)
def test_djlint_finds_a_planted_fault_under_our_configuration(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "djlint", "--lint", "--configuration", str(sources.ROOT / "pyproject.toml"), str(tmp_path)]
    djlint = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert code in djlint.stdout
    assert djlint.returncode == 1
