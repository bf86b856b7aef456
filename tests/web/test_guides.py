"""The guides name buttons and links as the pages do.

Every word in quotation marks is on a page that the role may open.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import lxml.html
import pytest

from portal import capabilities
from portal.security.permissions import Role, role_has
from portal.web.templating import HOME
from tests.platform.lifecycles import CASES

if TYPE_CHECKING:
    from flask.testing import FlaskClient

ROOT = Path(__file__).parents[2]
#: The guides themselves, where a word is no button.
GUIDES = re.compile(r"/web/(guides/|guide|help)")
#: What words stand on pages: the templates, and the labels of the fields they draw.
PAGES = [
    path.read_text(encoding="utf-8")
    for folder in ("portal", "dashboards")
    for pattern in ("templates/**/*.html", "forms.py", "controls.py")
    for path in (ROOT / folder).rglob(pattern)
    if not GUIDES.search(path.as_posix())
]
PAGE_PERMISSIONS = {item.text: item.permissions for item in (HOME, *capabilities.navigation())}


#: The words of the steps a person may take; their buttons are drawn from the lifecycles.
STEPS = {step.words for case in CASES for step in case.lifecycle.steps if step.permission}


def quoted_words(client: FlaskClient, path: str) -> list[str]:
    """The words that a help page puts in quotation marks."""
    page = lxml.html.document_fromstring(client.get(path).text)
    return re.findall("“([^”]+)”", page.xpath("string(//main)"))


def is_on_a_page(word: str) -> bool:
    """Does a page have a button, link or label with this name?

    A button may continue with a number, such as "Apply 40 marks".
    """
    return (
        word in PAGE_PERMISSIONS
        or word in STEPS
        or any(f'"{word}"' in page or f'"{word} %' in page or f">{word}<" in page for page in PAGES)
    )


@pytest.mark.parametrize("path", ["/help", *[f"/help/{role.value}" for role in Role]])
def test_every_button_a_guide_names_is_on_a_page(client: FlaskClient, path: str) -> None:
    words = quoted_words(client, path)
    assert words
    assert [word for word in words if not is_on_a_page(word)] == []
    assert not is_on_a_page("Undo")


@pytest.mark.parametrize("role", Role)
def test_a_guide_names_only_pages_its_role_may_open(client: FlaskClient, role: Role) -> None:
    pages = [word for word in quoted_words(client, f"/help/{role.value}") if word in PAGE_PERMISSIONS]
    assert [word for word in pages if not any(role_has(role, permission) for permission in PAGE_PERMISSIONS[word])] == []


def test_no_guide_names_a_page_without_quotation_marks(client: FlaskClient) -> None:
    unquoted = re.compile(rf"Open (?:{'|'.join(PAGE_PERMISSIONS)})\b")
    assert [role for role in Role if unquoted.search(client.get(f"/help/{role.value}").text)] == []
