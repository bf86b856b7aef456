"""${message}.

Before merging: expand, backfill in batches, contract over two releases; a new owned table is passed to
`migrations.owned.secure`; no COMPRESSION lz4; no NOT NULL column without a default on a table with rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change the schema."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo the change."""
    ${downgrades if downgrades else "pass"}
