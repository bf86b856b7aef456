"""Tables, columns and states get the names that screens and guides use. No row is lost; a running portal's data is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_plain_names"
down_revision = "0003_standing_room"

TABLES = {
    "standing": "pupil_year_summary",
    "tally": "school_week_summary",
    "match_question": "possible_duplicate",
    "parenthood": "pupil_contact",
}
#: New table name, old column, new column.
COLUMNS = (
    ("possible_duplicate", "likeness", "match_key"),
    ("possible_duplicate", "differs_in", "differing_fields"),
    ("possible_duplicate", "became_id", "resolved_pupil_id"),
    ("upload", "rehearsal", "preview"),
    ("upload", "refusal", "rejection"),
    ("upload", "rows_refused", "rows_rejected"),
    ("upload", "undone_at", "reverted_at"),
    ("upload", "undone_by", "reverted_by"),
    ("upload", "undo_reason", "revert_reason"),
    ("upload_content", "refused_rows", "rejected_rows"),
    ("finding", "refused", "rejected"),
    ("pupil_year_summary", "spells", "absence_periods"),
    ("pupil_year_summary", "longest_spell", "longest_absence"),
    ("release", "shipped", "bundled"),
)
STATES = {"rehearsed": "previewed", "refused": "rejected", "withdrawn": "cancelled", "undone": "reverted"}
KEPT_STATES = ("received", "needs-mapping", "applying", "applied")


def upgrade() -> None:
    """Rename, in one transaction."""
    for old, new in TABLES.items():
        op.rename_table(old, new)
        _rename_belongings(new, old, new)
    for table, old, new in COLUMNS:
        op.alter_column(table, old, new_column_name=new)
        _rename_belongings(table, old, new)
    _rename_states(STATES, applied="reverted_at")


def downgrade() -> None:
    """Give everything its earlier name."""
    for table, old, new in reversed(COLUMNS):
        op.alter_column(table, new, new_column_name=old)
        _rename_belongings(table, new, old)
    for old, new in TABLES.items():
        op.rename_table(new, old)
        _rename_belongings(old, new, old)
    _rename_states({new: old for old, new in STATES.items()}, applied="undone_at")


def _rename_belongings(table: str, old: str, new: str) -> None:
    """Rename the constraints, indexes and policies of a table that are called after the old name."""
    bind = op.get_bind()
    constraints = sa.text("SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass)")
    for name in bind.scalars(constraints, {"name": table}).all():
        if old in name.split("ck_")[0] or name.startswith(f"ck_{old}"):
            op.execute(f'ALTER TABLE {table} RENAME CONSTRAINT "{name}" TO "{name.replace(old, new)}"')
    indexes = sa.text("SELECT indexname FROM pg_indexes WHERE tablename = :name AND schemaname = current_schema()")
    for name in bind.scalars(indexes, {"name": table}).all():
        if old in name:
            op.execute(f'ALTER INDEX "{name}" RENAME TO "{name.replace(old, new)}"')
    policies = sa.text("SELECT policyname FROM pg_policies WHERE tablename = :name AND schemaname = current_schema()")
    for name in bind.scalars(policies, {"name": table}).all():
        if name.startswith(f"{old}_"):
            op.execute(f'ALTER POLICY "{name}" ON {table} RENAME TO "{name.replace(old, new)}"')


def _rename_states(states: dict[str, str], *, applied: str) -> None:
    """Rename the states of uploads, and the constraints that name them.

    Row security binds the owner too (FORCE), and without a scope it would see no row to change.
    """
    for name in ("state_known", "applied_when", "undone_when", "reverted_when"):
        op.execute(f"ALTER TABLE upload DROP CONSTRAINT IF EXISTS ck_upload_{name}")
    op.execute("ALTER TABLE upload NO FORCE ROW LEVEL SECURITY")
    for old, new in states.items():
        op.execute(f"UPDATE upload SET state = '{new}' WHERE state = '{old}'")
    op.execute("ALTER TABLE upload FORCE ROW LEVEL SECURITY")
    final = "reverted" if applied == "reverted_at" else "undone"
    names = ", ".join(f"'{state}'" for state in (*KEPT_STATES, *states.values()))
    op.create_check_constraint("state_known", "upload", f"state IN ({names})")
    op.create_check_constraint("applied_when", "upload", f"state NOT IN ('applied', '{final}') OR applied_at IS NOT NULL")
    op.create_check_constraint(f"{final}_when", "upload", f"(state = '{final}') = ({applied} IS NOT NULL)")
