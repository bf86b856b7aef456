"""A superuser's connection to this worker's database. Its transaction is rolled back after each test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from sqlalchemy import Engine


@pytest.fixture
def superuser(engine: Engine, database_name: str) -> Iterator[Connection[Any]]:
    """One transaction as the server's superuser, rolled back at the end."""
    with psycopg.connect(os.environ[servers.SUPER], dbname=database_name) as connection:
        yield connection
        connection.rollback()
