"""The list of the portal's routes. Write it with `python -m tests.architecture.routes --write`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from config.settings import Settings
from portal.app import create_app
from portal.security.permissions import permission_of
from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask
    from werkzeug.routing import Rule

LISTED = ROOT / "docs" / "routes.txt"
HEADING = (
    "# Every address of the portal: path, methods, endpoint, permission. Made by `python -m tests.architecture.routes --write`.\n"
)
IMPLIED = {"HEAD", "OPTIONS"}


def listing(app: Flask) -> str:
    """The text of docs/routes.txt."""
    return HEADING + "".join(sorted(_line(app, rule) for rule in app.url_map.iter_rules()))


def _line(app: Flask, rule: Rule) -> str:
    methods = ",".join(sorted((rule.methods or set()) - IMPLIED))
    permission = permission_of(app.view_functions[rule.endpoint]) or "NONE DECLARED"
    return f"{rule.rule}  {methods}  {rule.endpoint}  {permission}\n"


def rules(app: Flask) -> Iterable[Rule]:
    """The portal's own rules, without those Dash adds for itself."""
    return [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/dashboards/_")]


def main(arguments: list[str]) -> int:
    """Write the list to its file, or print it. Connects to no server."""
    environ = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PORTAL_DEMO": "1",
        "PORTAL_SECRET_KEY": "only-to-list-the-addresses-0123456789",
    }
    text = listing(create_app(Settings.from_environment(environ)))
    if "--write" in arguments:
        LISTED.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
