"""Panels: what capabilities show on the pages they share, without importing one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, render_template
from markupsafe import Markup

from portal.platform.capability import PageWithPanels, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from portal.platform.capability import Panel

#: The key in `app.extensions` of the function that lists a page's panels; the app sets it from the capabilities.
PANELS = "portal.panels"


def panels(page: str, subject_id: UUID | None, can: Callable[..., bool]) -> Markup:
    """The panels of a page as HTML: those the reader may see, in their order."""
    declared: tuple[Panel, ...] = current_app.extensions.get(PANELS, _no_panels)(PageWithPanels(page))
    parts = [_rendered(panel, subject_id) for panel in declared if can(panel.permission)]
    return Markup("").join(parts)


def _no_panels(_page: PageWithPanels) -> tuple[Panel, ...]:
    return ()


def _rendered(panel: Panel, subject_id: UUID | None) -> Markup:
    contents = load(panel.query)(subject_id) if subject_id is not None else load(panel.query)()
    if contents is None:
        return Markup("")
    # The template escapes what it is given, as every template does.
    return Markup(render_template(panel.template, title=panel.title, **contents))  # noqa: S704  made by a template that escapes
