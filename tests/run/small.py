"""A portal with only its health pages, for tests of starting and stopping."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from flask import Flask

from config import logging as logs
from config.settings import Settings
from portal.db import connection as database
from portal.jobs import outbox
from portal.platform import health
from portal.security.permissions import open_to_all

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def create_app(settings: Settings | None = None) -> Flask:
    """The health pages, and one page that never answers by itself."""
    settings = settings or Settings.from_environment(os.environ)
    logs.configure(settings)
    app = Flask(__name__)
    app.config["PORTAL"] = settings
    database.connect(settings.database_url)
    outbox.connect(settings.redis_url)
    app.register_blueprint(health.bp)
    app.add_url_rule("/stuck", view_func=stuck)
    return app


@open_to_all
def stuck() -> ResponseReturnValue:
    """Run until its web worker is replaced."""
    while True:
        time.sleep(0.01)


if __name__ == "__main__":
    # A worker that does nothing. Its arguments are in the process list, by which the tests find it.
    sys.stdout.write("working\n")
    while True:
        time.sleep(0.1)
