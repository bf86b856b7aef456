"""Opens the database for a command: the running portal's, or the embedded one, brought to this version first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import migrations
from local.locks import servers_for_command
from portal.accounts.queries.principals import authority_by_slug, command_line_scope
from portal.db import connection as database
from portal.db.work import unit_of_work
from portal.platform import upload_limit
from portal.platform.command_line import CommandFailedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from config.settings import Settings


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """Connect to the running portal's database, or start the embedded one; migrate it if it is behind.

    Gives the database's address as its owner.
    """
    upload_limit.follow(settings)
    with servers_for_command(settings) as servers:
        owner = migrations.owner_engine(servers.owner_url)
        if migrations.current(owner) != migrations.head():
            migrations.upgrade(servers.owner_url)
        owner.dispose()
        engine = database.connect(servers.app_url, long_running=True, pooler=settings.database_pooler)
        try:
            yield servers.owner_url
        finally:
            engine.dispose()


@contextmanager
def open_authority(settings: Settings, slug: str) -> Iterator[UUID]:
    """Connect, and open a unit of work in an authority's scope, as the command line."""
    with open_database(settings):
        with unit_of_work(None):
            authority = authority_by_slug(slug)
        if authority is None:
            message = f"There is no authority {slug}. Add it with: portal authority add {slug} --name NAME --la-code CODE"
            raise CommandFailedError(message)
        with unit_of_work(command_line_scope(authority.id)):
            yield authority.id
