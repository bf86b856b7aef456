"""The guides name buttons and links as the pages do: what stands in quotation marks is on a page the role may open."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import lxml.html
import pytest

from portal.permissions import Role, can
from portal.web.pages import NAVIGATION

if TYPE_CHECKING:
    from flask.testing import FlaskClient

ROOT = Path(__file__).parents[2]
#: Where the guides themselves are: a word there is no button.
GUIDES = re.compile(r"/web/(guides/|guide|help)")
PAGES = [
    path.read_text(encoding="utf-8")
    for folder in ("portal", "dashboards")
    for path in (ROOT / folder).rglob("templates/**/*.html")
    if not GUIDES.search(path.as_posix())
]
OPENED = {item.text: item.permissions for item in NAVIGATION}


def named(client: FlaskClient, path: str) -> list[str]:
    """The words a page of help puts in quotation marks."""
    page = lxml.html.document_fromstring(client.get(path).text)
    return re.findall("“([^”]+)”", page.xpath("string(//main)"))


def stands(word: str) -> bool:
    """Is a button, a link or a label called this? A button may go on with a number, as "Apply 40 marks" does."""
    return word in OPENED or any(f'"{word}"' in page or f'"{word} %' in page or f">{word}<" in page for page in PAGES)


@pytest.mark.parametrize("path", ["/help", *[f"/help/{role.value}" for role in Role]])
def test_every_button_a_guide_names_is_on_a_page(client: FlaskClient, path: str) -> None:
    words = named(client, path)
    assert words
    assert [word for word in words if not stands(word)] == []
    assert not stands("Undo")


@pytest.mark.parametrize("role", Role)
def test_a_guide_opens_only_what_its_role_may_open(client: FlaskClient, role: Role) -> None:
    places = [word for word in named(client, f"/help/{role.value}") if word in OPENED]
    assert [word for word in places if not any(can(role, one) for one in OPENED[word])] == []


def test_no_guide_opens_a_page_without_quotation_marks(client: FlaskClient) -> None:
    loose = re.compile(rf"Open (?:{'|'.join(OPENED)})\b")
    assert [role for role in Role if loose.search(client.get(f"/help/{role.value}").text)] == []
