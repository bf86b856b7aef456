"""Migrations: bring a database to this version. They run as the owner role, as which the portal itself never runs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

HERE = Path(__file__).parent
HEAD = (HERE / "HEAD").read_text().strip()


def head() -> str:
    """The revision this version of the portal needs."""
    return HEAD


def current(engine: Engine) -> str | None:
    """The revision a database is at, or None for an empty one."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
            return None
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return str(revision) if revision is not None else None


def upgrade(owner_url: str) -> None:
    """Bring the database at `owner_url` to HEAD. Waits while another machine migrates it."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["owner_url"] = owner_url
    command.upgrade(config, "head")


def owner_engine(owner_url: str) -> Engine:
    """An engine for the owner role. Only migrations, commands that migrate, and tests of the catalogue use one."""
    return create_engine(owner_url, connect_args={"options": "-c TimeZone=UTC"})
