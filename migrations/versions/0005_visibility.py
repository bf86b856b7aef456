"""Row security is written from what each model says, and no policy reads another table. What is due gets its table.

The statements are frozen in the SQL file of the same name. A running portal's data is kept.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005_visibility"
down_revision = "0004_plain_names"

STATEMENTS = Path(__file__).with_suffix(".sql")

_AUTHORITY = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"
_EVERY_SCHOOL = "(SELECT current_setting('app.schools', true) = '*')"
#: Tables whose rows were seen through their upload.
_THROUGH_UPLOAD = ("upload_content", "finding", "upload_progress")
_REFERRING = ("upload_content", "finding", "reported_total")


def upgrade() -> None:
    """Give rows of uploads their school, make the table of what is due, and write the policies."""
    op.get_bind().exec_driver_sql(STATEMENTS.read_text(encoding="utf-8"))


def downgrade() -> None:
    """See the rows of an upload through their upload again."""
    for table in _THROUGH_UPLOAD:
        through = (
            f"EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = {table}.authority_id AND seen.id = {table}.upload_id)"
        )
        visible = f"{_AUTHORITY} AND ({_EVERY_SCHOOL} OR {through})"
        op.execute(f"ALTER POLICY {table}_seen ON {table} USING ({visible})")
        op.execute(f"ALTER POLICY {table}_added ON {table} WITH CHECK ({_AUTHORITY})")
        op.execute(f"ALTER POLICY {table}_changed ON {table} USING ({visible}) WITH CHECK ({_AUTHORITY})")
        op.execute(f"ALTER POLICY {table}_removed ON {table} USING ({visible})")
    for table in _REFERRING:
        op.drop_constraint(f"fk_{table}_authority_id_school_id_upload_id_upload", table)
        op.create_foreign_key(
            f"fk_{table}_authority_id_upload_id_upload", table, "upload", ["authority_id", "upload_id"], ["authority_id", "id"]
        )
    op.drop_constraint("uq_upload_authority_id_school_id_id", "upload")
    for table in _THROUGH_UPLOAD:
        op.drop_column(table, "school_id")
    op.drop_table("due")
