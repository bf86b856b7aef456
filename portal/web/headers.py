"""The security headers of every response, and the nonce that lets our own scripts run."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import g, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask, Response

#: Features of the browser no page of ours uses.
REFUSED_FEATURES = (
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in REFUSED_FEATURES)
A_YEAR = 31_536_000


def nonce() -> str:
    """This request's nonce: the same for every script of one response, never the same for two."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(18)
    found: str = g.csp_nonce
    return found


def page_policy(token: str) -> str:
    """The content security policy of an ordinary page: our own files, scripts that carry the nonce, nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{token}'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def dashboard_policy(token: str, hashes: Sequence[str]) -> str:
    """The policy of a page with charts: also the scripts with these hashes, styles with the nonce, drawn images."""
    scripts = " ".join(["'self'", f"'nonce-{token}'", *hashes])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src 'self' 'nonce-{token}'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def allow_charts(hashes: Sequence[str]) -> None:
    """Let this response draw charts: it gets the dashboards' policy, with the hashes of the scripts Dash writes inline.

    Each hash comes as the policy spells it, in its quotes: "'sha256-…'".
    """
    g.chart_hashes = tuple(hashes)


def init_app(app: Flask) -> None:
    """Put the security headers on every response of `app`, error pages and static files included.

    No page tells another where its reader came from, so the forgery check cannot ask for it: the token alone decides.
    """
    app.config["WTF_CSRF_SSL_STRICT"] = False
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    hashes = g.get("chart_hashes")
    policy = page_policy(nonce()) if hashes is None else dashboard_policy(nonce(), hashes)
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    if request.endpoint != "web.static":
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={A_YEAR}; includeSubDomains"
    return response
