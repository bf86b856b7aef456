"""The Flask application, and the list of its blueprints."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DBAPIError
from werkzeug.middleware.proxy_fix import ProxyFix

import dashboards.mount
from config import logging as logs
from config.settings import REAL_AUTHORITY, Settings, SettingsError
from portal import capabilities
from portal.accounts.queries.principals import has_real_authority
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.jobs import outbox
from portal.platform import health, upload_limit
from portal.security import gate
from portal.web import errors, headers, hosts, panels, templating
from portal.web import routes as web


def create_app(settings: Settings | None = None) -> Flask:
    """Make the portal's web application, connected to its database and its queue.

    Raises:
        UndeclaredViewError: when a view declares no permission.
        SettingsError: when the demonstration is on, and the database holds a real authority.
    """
    settings = settings or Settings.from_environment(os.environ)
    logs.configure(settings)
    upload_limit.follow(settings)
    app = Flask("portal", static_folder=None)
    app.config.update(_configuration(settings))
    # One connection for each thread, and two to spare: health checks and metrics take one of their own.
    database.connect(settings.database_url, pool_size=settings.web_threads + 2, pooler=settings.database_pooler)
    outbox.connect(settings.redis_url)
    CSRFProtect(app)
    templating.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    gate.init_app(app, demonstration=settings.demo)
    if settings.demo:
        refuse_real_authority()
    app.extensions[panels.PANELS] = capabilities.panels
    for blueprint in (web.bp, health.bp, *capabilities.blueprints()):
        app.register_blueprint(blueprint)
    dashboards.mount.init_app(app)
    # Last, when every view there will be is registered.
    gate.refuse_undeclared(app)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0)  # type: ignore[method-assign]  # Flask's documented way
    hosts.init_app(app, settings)
    return app


def refuse_real_authority() -> None:
    """Refuse to start the demonstration on a database that holds anything real.

    Raises:
        SettingsError: with a sentence that says what to set.
    """
    try:
        with unit_of_work(None):
            is_real = has_real_authority()
    except DBAPIError:
        # Away, or not migrated yet. Each door of the demonstration asks again when it is tried.
        return
    if is_real:
        raise SettingsError(REAL_AUTHORITY)


def _configuration(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "PORTAL": settings,
        # The prefix has browsers refuse the cookie from any other host, and from a page that is not encrypted.
        "SESSION_COOKIE_NAME": "__Host-portal" if settings.secure_cookies else "portal",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        # Room for the rest of a multipart form around the largest file.
        "MAX_CONTENT_LENGTH": settings.upload_limit + 1_000_000,
        "MAX_FORM_MEMORY_SIZE": 1_000_000,
        # A token lasts as long as its session: an officer may leave a form open over lunch and still send it.
        "WTF_CSRF_TIME_LIMIT": None,
    }
