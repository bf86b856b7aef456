"""A pupil becomes one school's record of a child, and the authority links the records of one child.

A pupil named by several schools becomes as many records, and one child. The oldest record keeps the pupil's id. Contacts and
characteristics are copied to each. The statements are frozen in the SQL files of the same name.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

from migrations.owned import APP_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0006_school_records"
down_revision = "0005_visibility"

STATEMENTS = Path(__file__).with_suffix(".sql")
STATEMENTS_BACK = STATEMENTS.with_name("0006_school_records_back.sql")

_AUTHORITY = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"
_EVERY_SCHOOL = "(SELECT current_setting('app.schools', true) = '*')"
_IDS = "(SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]"
_BY_SCHOOL = f"{_AUTHORITY} AND ({_EVERY_SCHOOL} OR school_id = ANY (({_IDS})))"
_AUTHORITY_ONLY = f"{_AUTHORITY} AND ({_EVERY_SCHOOL})"
_CHANGED = ("pupil", "contact", "pupil_contact", "characteristic")
_NEW = ("child", "child_link", "possible_same_child")
#: The tables' earlier names, and through which row of which table theirs were seen.
_CHANGED_BEFORE = {
    "pupil": ("roll_line", "pupil_id = pupil.id"),
    "parent": ("pupil_contact", "parent_id = parent.id"),
    "pupil_contact": ("roll_line", "pupil_id = pupil_contact.pupil_id"),
    "characteristic": ("roll_line", "pupil_id = characteristic.pupil_id"),
}
_KEYS_BEFORE = (
    ("roll_line", "pupil_id", "pupil"),
    ("characteristic", "pupil_id", "pupil"),
    ("reported_total", "pupil_id", "pupil"),
    ("possible_duplicate", "pupil_id", "pupil"),
    ("possible_duplicate", "resolved_pupil_id", "pupil"),
    ("pupil_contact", "pupil_id", "pupil"),
    ("pupil_contact", "parent_id", "parent"),
)
_OTHERS = ("school", "roll_line", "mark_note", "pupil_year_summary", "reported_total", "possible_duplicate")
_PUPILS_OF_NO_SCHOOL = sa.text(
    "SELECT count(*) FROM pupil p"
    " WHERE NOT EXISTS (SELECT 1 FROM roll_line t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)"
    " AND NOT EXISTS (SELECT 1 FROM mark_note t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)"
    " AND NOT EXISTS (SELECT 1 FROM pupil_year_summary t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)"
    " AND NOT EXISTS (SELECT 1 FROM reported_total t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)"
    " AND NOT EXISTS (SELECT 1 FROM possible_duplicate t WHERE t.authority_id = p.authority_id AND t.resolved_pupil_id = p.id)"
)
_PARENTS_OF_NO_PUPIL = sa.text(
    "SELECT count(*) FROM parent p"
    " WHERE NOT EXISTS (SELECT 1 FROM pupil_contact t WHERE t.authority_id = p.authority_id AND t.parent_id = p.id)"
)


def upgrade() -> None:
    """Make each school's records, link them to children, and let the database hold every row to its school."""
    with _seen_by_the_owner("parent", "pupil", "pupil_contact", "characteristic", *_OTHERS, after=(*_CHANGED, *_OTHERS)):
        _refuse_rows_of_no_school()
        op.get_bind().exec_driver_sql(STATEMENTS.read_text(encoding="utf-8"))
    for table in _CHANGED:
        _alter_policies(table, _BY_SCHOOL, _BY_SCHOOL)
    for table in _NEW:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_seen ON {table} FOR SELECT USING ({_AUTHORITY_ONLY})")
        op.execute(f"CREATE POLICY {table}_added ON {table} FOR INSERT WITH CHECK ({_AUTHORITY_ONLY})")
        op.execute(f"CREATE POLICY {table}_changed ON {table} FOR UPDATE USING ({_AUTHORITY_ONLY}) WITH CHECK ({_AUTHORITY_ONLY})")
        op.execute(f"CREATE POLICY {table}_removed ON {table} FOR DELETE USING ({_AUTHORITY_ONLY})")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")


def downgrade() -> None:
    """Make one pupil of each child's records again.

    The oldest record is kept, with every line, note, summary, total and question of the others, and what of their contacts
    and characteristics it lacks. What the schools said differently, the links and the authority's questions are lost.
    """
    tables_before = (*_CHANGED_BEFORE, *_OTHERS)
    with _seen_by_the_owner(*_CHANGED, *_OTHERS, *_NEW, after=tables_before):
        op.get_bind().exec_driver_sql(STATEMENTS_BACK.read_text(encoding="utf-8"))
        for table, (points, outer) in _CHANGED_BEFORE.items():
            through = f"EXISTS (SELECT 1 FROM {points} seen WHERE seen.authority_id = {table}.authority_id AND seen.{outer})"
            # Before the column goes: the policies read it.
            _alter_policies(table, f"{_AUTHORITY} AND ({_EVERY_SCHOOL} OR {through})", _AUTHORITY)
            op.drop_column(table, "school_id")
        op.create_unique_constraint(
            "uq_pupil_contact_authority_id_pupil_id_parent_id", "pupil_contact", ["authority_id", "pupil_id", "parent_id"]
        )
        for table, column, target in _KEYS_BEFORE:
            name = f"fk_{table}_authority_id_{column}_{target}"
            op.create_foreign_key(name, table, target, ["authority_id", column], ["authority_id", "id"])


def _refuse_rows_of_no_school() -> None:
    """Stop where a pupil or a parent belongs to no school.

    Guessing one would show that school a child it may not know.

    Raises:
        RuntimeError: with a sentence for the person who upgrades.
    """
    bind = op.get_bind()
    if pupils := bind.scalar(_PUPILS_OF_NO_SCHOOL):
        message = (
            f"Pupils that no school names: {pupils}. Give each a roll line, or delete them, and upgrade again. Nothing was changed."
        )
        raise RuntimeError(message)
    if parents := bind.scalar(_PARENTS_OF_NO_PUPIL):
        message = f"Parents or carers of no pupil: {parents}. Delete them, and upgrade again. Nothing was changed."
        raise RuntimeError(message)


@contextmanager
def _seen_by_the_owner(*tables: str, after: tuple[str, ...]) -> Iterator[None]:
    """Lift row security from the owner in the block.

    Forced, and without a scope, it would show no row to change.
    """
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in after:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _alter_policies(table: str, visible: str, added: str) -> None:
    op.execute(f"ALTER POLICY {table}_seen ON {table} USING ({visible})")
    op.execute(f"ALTER POLICY {table}_added ON {table} WITH CHECK ({added})")
    op.execute(f"ALTER POLICY {table}_changed ON {table} USING ({visible}) WITH CHECK ({added})")
    op.execute(f"ALTER POLICY {table}_removed ON {table} USING ({visible})")
