"""Panels stand on a shared page in order, where there is something to show and a permission."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from portal.platform.capability import PageWithPanels, Panel
from portal.web.panels import PANELS, panels
from tests.web.component_gallery import make_app

if TYPE_CHECKING:
    from flask import Flask

TEMPLATE = "<section><h2>{{ title }}</h2><p>{{ words }}</p></section>"


def about_pupil(pupil_id: UUID) -> dict[str, str]:
    """Contents about one pupil, with a sign HTML must escape."""
    return {"words": f"<{pupil_id}>"}


def nothing() -> None:
    """No contents: the panel is left out."""


def always() -> dict[str, str]:
    """Contents of a start page."""
    return {"words": "3 cases"}


def _panel(page: PageWithPanels, query: str, permission: str = "pupils.view", order: int = 0) -> Panel:
    return Panel(page, f"Panel {order}", permission, f"tests.web.test_panels.{query}", "panel.html", order)


@pytest.fixture(scope="module")
def app() -> Flask:
    """The gallery with planted panels."""
    planted = {
        PageWithPanels.START: (_panel(PageWithPanels.START, "nothing"), _panel(PageWithPanels.START, "always", order=1)),
        PageWithPanels.PUPIL: (_panel(PageWithPanels.PUPIL, "about_pupil"),),
        PageWithPanels.SCHOOL: (),
    }
    gallery = make_app({"panel.html": TEMPLATE})
    gallery.extensions[PANELS] = planted.__getitem__
    return gallery


def _can_everything(_permission: str) -> bool:
    return True


def _can_nothing(_permission: str) -> bool:
    return False


def test_a_panel_with_nothing_to_show_is_left_out(app: Flask) -> None:
    with app.test_request_context("/"):
        assert panels("start", None, _can_everything) == "<section><h2>Panel 1</h2><p>3 cases</p></section>"


def test_a_panel_is_only_for_people_with_its_permission(app: Flask) -> None:
    with app.test_request_context("/"):
        assert panels("start", None, _can_nothing) == ""


def test_a_panel_is_asked_about_the_pages_own_pupil_and_escaped(app: Flask) -> None:
    pupil_id = uuid4()
    with app.test_request_context("/"):
        assert f"<p>&lt;{pupil_id}&gt;</p>" in panels("pupil", pupil_id, _can_everything)


def test_a_page_without_panels_shows_nothing(app: Flask) -> None:
    with app.test_request_context("/"):
        assert panels("school", uuid4(), _can_everything) == ""


def test_an_unknown_page_is_an_error(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(ValueError, match="planted"):
        panels("planted", None, _can_everything)
