"""The schema the migrations make, compared with the models; and their downgrades."""

from __future__ import annotations

import os

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import migrations
from migrations.tables import METADATA
from tests.support import servers


@pytest.fixture
def owner_url() -> object:
    """The address, as the owner, of an empty database."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_drift" WITH (FORCE)')
        connection.execute('CREATE DATABASE "portal_drift" OWNER portal_owner')
    yield os.environ[servers.OWNER].format("portal_drift")
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_drift" WITH (FORCE)')


def test_the_migrations_make_exactly_what_the_models_describe(owner_url: str) -> None:
    migrations.upgrade(owner_url)
    engine = migrations.owner_engine(owner_url)
    assert migrations.current(engine) == migrations.head()
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
        checks = {
            constraint["name"] for table in METADATA.tables for constraint in inspect(connection).get_check_constraints(table)
        }
    engine.dispose()
    assert differences == []
    assert checks == {
        constraint.name
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if constraint.__class__.__name__ == "CheckConstraint"
    }


def test_a_difference_from_the_models_is_found(owner_url: str) -> None:
    migrations.upgrade(owner_url)
    engine = migrations.owner_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE school DROP COLUMN laestab"))
        assert compare_metadata(MigrationContext.configure(connection), METADATA)
        connection.rollback()
    engine.dispose()


def test_the_migrations_can_be_undone(owner_url: str) -> None:
    migrations.upgrade(owner_url)
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    config.attributes["owner_url"] = owner_url
    command.downgrade(config, "base")
    engine = migrations.owner_engine(owner_url)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    engine.dispose()
