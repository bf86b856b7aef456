"""Mounts Dash under /dashboards/, behind the gate and inside the portal's layout."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, dcc, html, no_update
from flask import Flask, Response, abort, current_app, render_template, request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from dashboards import pages
from dashboards.figures import chart
from portal.security.permissions import needs
from portal.web import headers

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "/dashboards/"


class PortalDash(Dash):
    """Dash that renders its index page in the portal's layout."""

    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]  # Dash declares each part, but passes them all by name
        """The HTML of the page at this address, or a 404. The server makes all of it but the chart."""
        page, values = pages.find(request.path.removeprefix(PREFIX)) or abort(404)
        headers.allow_charts(self.csp_hashes())
        dash_parts = {name: Markup(parts[name]) for name in ("app_entry", "config", "scripts", "renderer", "css")}  # noqa: S704  Dash's own markup
        return render_template(page.template, **page.contents(values, request.args), dash=dash_parts)


def init_app(app: Flask) -> None:
    """Mount the dashboards on `app` and put all their views behind the gate."""
    existing = set(app.view_functions)
    dash = PortalDash(
        __name__,
        server=app,  # type: ignore[arg-type]  # Dash's documentation gives a Flask, its annotation does not
        url_base_pathname=PREFIX,
        use_pages=False,
        pages_folder="",
        assets_folder="",
        serve_locally=True,
        eager_loading=False,
        enable_mcp=False,
        update_title="",
        csrf_token_name=_csrf_cookie_name(app),
    )
    dash.layout = html.Div([dcc.Location(id="address"), html.Div(id="chart")])
    dash.callback(Output("chart", "children"), Input("address", "pathname"), Input("address", "search"))(draw)
    dash.enable_dev_tools(debug=False)
    app.extensions["dashboards"] = dash
    app.after_request(_set_csrf_cookie)
    # Dash registers views without a permission, and the gate refuses to start with those.
    for endpoint in set(app.view_functions) - existing:
        app.view_functions[endpoint] = _with_permission(app.view_functions[endpoint])


def _csrf_cookie_name(app: Flask) -> str:
    """The name of the cookie that Dash reads. Its prefix has browsers refuse it from a page that is not encrypted."""
    return "__Secure-csrf_token" if app.config["SESSION_COOKIE_SECURE"] else "_csrf_token"


def _set_csrf_cookie(response: Response) -> Response:
    """Set the cookie that Dash copies into the header of its calls, where the CSRF check reads it.

    Scripts can read this cookie, so only pages below the prefix get it.
    """
    if (
        request.path.startswith(PREFIX)
        and request.method == "GET"
        and response.mimetype == "text/html"
        and response.status_code == HTTPStatus.OK
    ):
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(
            _csrf_cookie_name(current_app), generate_csrf(), path=PREFIX, secure=secure, httponly=False, samesite="Strict"
        )
    return response


def _with_permission(view: Callable[..., Any]) -> Callable[..., Any]:
    def gated(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return needs("measures.view")(gated)


def draw(path: object, search: object) -> Any:
    """The chart of the page at an address, counted in the reader's own scope.

    The arguments come from the browser: anything that is no address of a dashboard is a 400 or a 404.
    """
    if not isinstance(path, str) or not isinstance(search, str | None) or not path.startswith(PREFIX):
        abort(400)
    page, values = pages.find(path.removeprefix(PREFIX)) or abort(404)
    figure = page.figure(values, pages.arguments(search or ""))
    return no_update if figure is None else chart(figure)
