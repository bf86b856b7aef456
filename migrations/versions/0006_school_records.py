"""A stand-in for the revision that makes a school's own records, replaced by it."""

from __future__ import annotations

revision = "0006_school_records"
down_revision = "0005_visibility"


def upgrade() -> None:
    """Do nothing."""


def downgrade() -> None:
    """Do nothing."""
