"""Mounting Dash: one app under /dashboards/, every address of it behind the gate, each page in the portal's own layout."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, dcc, html, no_update
from flask import Flask, Response, abort, current_app, render_template, request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from dashboards import pages
from dashboards.figures import chart
from portal.permissions import needs
from portal.web import headers

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "/dashboards/"


class PortalDash(Dash):
    """Dash that renders its index inside the portal's layout, or answers 404 where there is no such page."""

    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]  # Dash passes every part by its name
        """The page at this address, its words, table and filters made on the server; Dash draws only the chart."""
        page, values = pages.found(request.path.removeprefix(PREFIX)) or abort(404)
        headers.allow_charts(self.csp_hashes())
        made = {name: Markup(parts[name]) for name in ("app_entry", "config", "scripts", "renderer", "css")}  # noqa: S704  Dash's own markup
        return render_template(page.template, **page.contents(values, request.args), dash=made)


def init_app(app: Flask) -> None:
    """Mount the dashboards on `app` and put every one of their addresses behind the gate."""
    before = set(app.view_functions)
    dash = PortalDash(
        __name__,
        server=app,  # type: ignore[arg-type]  # a Flask, as Dash's documentation has it
        url_base_pathname=PREFIX,
        use_pages=False,
        pages_folder="",
        assets_folder="",
        serve_locally=True,
        eager_loading=False,
        enable_mcp=False,
        update_title="",
    )
    dash.layout = html.Div([dcc.Location(id="address"), html.Div(id="chart")])
    dash.callback(Output("chart", "children"), Input("address", "pathname"), Input("address", "search"))(draw)
    dash.enable_dev_tools(debug=False)
    app.extensions["dashboards"] = dash
    app.after_request(_hand_over_token)
    for endpoint in set(app.view_functions) - before:
        app.view_functions[endpoint] = _behind_the_gate(app.view_functions[endpoint])


def _hand_over_token(response: Response) -> Response:
    """Dash copies this cookie into the header the forgery check reads; only pages below the prefix get it."""
    if (
        request.path.startswith(PREFIX)
        and request.method == "GET"
        and response.mimetype == "text/html"
        and response.status_code == HTTPStatus.OK
    ):
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie("_csrf_token", generate_csrf(), path=PREFIX, secure=secure, httponly=False, samesite="Strict")
    return response


def _behind_the_gate(view: Callable[..., Any]) -> Callable[..., Any]:
    def gated(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return needs("measures.view")(gated)


def draw(path: object, search: object) -> Any:
    """The chart for an address: the policy asks again, in the scope of whoever asks. Anything else is a 400 or a 404."""
    if not isinstance(path, str) or not isinstance(search, str | None) or not path.startswith(PREFIX):
        abort(400)
    found = pages.found(path.removeprefix(PREFIX))
    if found is None:
        abort(404)
    page, values = found
    figure = page.figure(values, pages.arguments(search or ""))
    return no_update if figure is None else chart(figure)
