"""The pages of the dashboards: each has an address, a template, its contents and a figure for Dash."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request

from dashboards.pages import every_school, one_school

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import plotly.graph_objects as go

UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the dashboards."""

    pattern: re.Pattern[str]
    template: str
    contents: Callable[[Mapping[str, str], Mapping[str, str]], dict[str, Any]]
    figure: Callable[[Mapping[str, str], Mapping[str, str]], go.Figure | None]


PAGES = (
    Page(re.compile(r""), "dashboards/every_school.html", every_school.contents, every_school.figure),
    Page(re.compile(f"schools/(?P<school>{UUID_PATTERN})"), "dashboards/one_school.html", one_school.contents, one_school.figure),
)


def find(path: str) -> tuple[Page, Mapping[str, str]] | None:
    """The page at a path below the prefix, with the values in its address. None where there is no page."""
    for page in PAGES:
        match = page.pattern.fullmatch(path.rstrip("/"))
        if match:
            return page, match.groupdict()
    return None


def arguments(search: str) -> Mapping[str, str]:
    """The arguments of a query string, read as `request.args` is.

    Read in another way, an argument given twice would have the chart show another measure than the text beside it.
    """
    return Request({"QUERY_STRING": search.removeprefix("?").encode().decode("latin-1"), "REQUEST_METHOD": "GET"}).args
