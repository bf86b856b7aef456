"""The pictures of docs/architecture.md: up to date, and true to contract and imports."""

from __future__ import annotations

import pytest

from portal.capabilities import CAPABILITIES
from tests.architecture import picture
from tests.architecture.written_pages import END, START, with_part

IMPORTS = {"app": {"pupils", "db"}, "pupils": {"schools", "db"}, "schools": {"db"}, "db": set[str]()}


def test_the_pictures_are_up_to_date() -> None:
    committed = picture.PAGE.read_text(encoding="utf-8")
    assert picture.page().splitlines() == committed.splitlines(), f"{picture.COMMAND}, and look at what changed"


def test_every_capability_has_a_box_in_the_contracts_order() -> None:
    boxes = picture.layers()
    packages = list(picture.packages())
    assert len(packages) == len(CAPABILITIES)
    assert [box for box in reversed(boxes) if box in packages and box != "dashboards"] == [
        package for package in packages if package != "dashboards"
    ]


def test_an_import_that_follows_from_others_is_left_out() -> None:
    assert picture.reduced(IMPORTS) == {"app": {"pupils"}, "pupils": {"schools"}, "schools": {"db"}, "db": set()}


def test_a_new_import_changes_the_picture() -> None:
    boxes = list(IMPORTS)
    with_arrow = {**IMPORTS, "schools": {"db"}, "pupils": {"db"}, "app": {"pupils", "schools"}}
    assert picture.pictures(boxes, with_arrow, ["pupils", "schools"]) != picture.pictures(boxes, IMPORTS, ["pupils", "schools"])


def test_imports_are_those_of_the_code() -> None:
    imports = picture.imports_between(picture.layers())
    assert "portal.registers" in imports["portal.uploads"]
    assert "portal.uploads" not in imports["portal.registers"]


def test_only_what_stands_between_the_two_comments_is_written() -> None:
    start = START.format(command="a command")
    assert with_part(f"before\n{start}old\n{END}after\n", "a command", "new\n") == f"before\n{start}new\n{END}after\n"


@pytest.mark.parametrize("page", ["nothing here", END + START.format(command="a command"), START.format(command="a command")])
def test_a_page_without_both_comments_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        with_part(page, "a command", "new")
