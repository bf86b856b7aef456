"""Drift: what the migrations make, compared with the models; and that they can be taken back."""

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
def empty() -> object:
    """An empty database of its own, and its address as the owner."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_drift" WITH (FORCE)')
        connection.execute('CREATE DATABASE "portal_drift" OWNER portal_owner')
    yield os.environ[servers.OWNER].format("portal_drift")
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute('DROP DATABASE IF EXISTS "portal_drift" WITH (FORCE)')


def test_the_migrations_make_exactly_what_the_models_describe(empty: str) -> None:
    migrations.upgrade(empty)
    engine = migrations.owner_engine(empty)
    assert migrations.current(engine) == migrations.head()
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
        checks = {one["name"] for table in METADATA.tables for one in inspect(connection).get_check_constraints(table)}
    engine.dispose()
    assert differences == []
    assert checks == {
        constraint.name
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if constraint.__class__.__name__ == "CheckConstraint"
    }


def test_a_model_without_a_migration_is_found(empty: str) -> None:
    migrations.upgrade(empty)
    engine = migrations.owner_engine(empty)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE school DROP COLUMN laestab"))
        assert compare_metadata(MigrationContext.configure(connection), METADATA)
        connection.rollback()
    engine.dispose()


def test_the_baseline_can_be_taken_back(empty: str) -> None:
    migrations.upgrade(empty)
    config = Config()
    config.set_main_option("script_location", str(migrations.HERE))
    config.attributes["owner_url"] = empty
    command.downgrade(config, "base")
    engine = migrations.owner_engine(empty)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    engine.dispose()
