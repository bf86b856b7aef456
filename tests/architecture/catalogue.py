"""Checks of tenancy against PostgreSQL's catalogue, which holds what the migrations made, not what the models say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrations.owned import APP_ROLE, APPEND_ONLY, OF_SIGNING_IN, READ_ONLY, SHARED_BY_AUTHORITY, SIGN_IN_ROLE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from psycopg import Connection

#: Alembic's own table: it has one row, the revision.
REVISION_TABLE = "alembic_version"
READS_THE_SCOPE = "current_setting('app.authority'::text, true)"
#: A read's number: one of the portal's own would need a row that every reader waits for.
NUMBERED_BY_THE_DATABASE = {("read_log", "id")}
#: Functions that run with their owner's rights, and the one setting that each must have.
RUN_AS_OWNER = {"append_audit_event"}
FIXED_SEARCH_PATH = "search_path=pg_catalog, pg_temp"
KINDS = {"p": "primary key", "u": "unique key", "f": "foreign key"}


def faults(connection: Connection[Any], *, owned: Collection[str], shared: Collection[str]) -> list[str]:
    """Every fault of the schema `public`, each a sentence that begins with a name."""
    return [
        *_unknown_tables(connection, {*owned, *shared, REVISION_TABLE}),
        *_row_security(connection, owned),
        *_policies(connection, owned),
        *_keys(connection, owned),
        *_rights(connection),
        *_signing_in(connection),
        *_bypasses(connection),
        *_identities(connection),
    ]


def _unknown_tables(connection: Connection[Any], expected: Collection[str]) -> Iterator[str]:
    tables = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    )
    existing = {name for (name,) in tables}
    yield from (f"{name}: neither owned nor shared" for name in sorted(existing - set(expected)))
    yield from (f"{name}: not in the database" for name in sorted(set(expected) - existing))


def _row_security(connection: Connection[Any], owned: Collection[str]) -> Iterator[str]:
    rows = connection.execute(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s) ORDER BY 1",
        [list(owned)],
    )
    for name, enabled, forced in rows:
        if not enabled:
            yield f"{name}: row security is not enabled"
        if not forced:
            yield f"{name}: row security is not forced on the owner"


def _policies(connection: Connection[Any], owned: Collection[str]) -> Iterator[str]:
    rows = connection.execute(
        "SELECT tablename, cmd, permissive, coalesce(qual, with_check), coalesce(with_check, qual)"
        " FROM pg_policies WHERE schemaname = 'public' ORDER BY 1, 2"
    ).fetchall()
    for name in sorted(owned):
        table_policies = [row for row in rows if row[0] == name]
        expected = {"SELECT", "INSERT"} if name in APPEND_ONLY else {"SELECT", "INSERT", "UPDATE", "DELETE"}
        if {row[1] for row in table_policies} != expected:
            yield f"{name}: has policies for {sorted(row[1] for row in table_policies)}, not {sorted(expected)}"
        for _, command, _, using, check in table_policies:
            if READS_THE_SCOPE not in (using or "") or READS_THE_SCOPE not in (check or ""):
                yield f"{name}: its policy for {command} does not read the authority in scope"


def _keys(connection: Connection[Any], owned: Collection[str]) -> Iterator[str]:
    rows = connection.execute(
        "SELECT t.relname, c.conname, c.contype, a.attname FROM pg_constraint c"
        " JOIN pg_class t ON t.oid = c.conrelid JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE t.relnamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f') AND t.relname = ANY(%s)"
        " UNION ALL SELECT t.relname, i.relname, 'u', a.attname FROM pg_index x"
        " JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid"
        " LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]"
        " WHERE t.relnamespace = 'public'::regnamespace AND x.indisunique AND t.relname = ANY(%s) ORDER BY 1, 2",
        [list(owned), list(owned)],
    )
    for table, key, kind, first in rows:
        if first != "authority_id":
            kind_name = KINDS[kind if isinstance(kind, str) else kind.decode()]
            yield f"{table}: the {kind_name} {key} begins with {first}, not with authority_id"


def _rights(connection: Connection[Any]) -> Iterator[str]:
    powers = connection.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = %s", [APP_ROLE]
    ).fetchone()
    names = ("is a superuser", "bypasses row security", "makes roles", "makes databases", "replicates")
    yield from (f"{APP_ROLE}: {name}" for name, has in zip(names, powers or (), strict=True) if has)
    belongs = connection.execute("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", [APP_ROLE])
    yield from (f"{APP_ROLE}: is a member of {name}" for (name,) in belongs if name != SIGN_IN_ROLE)
    owns = connection.execute("SELECT relname FROM pg_class WHERE relowner = %s::regrole ORDER BY 1", [APP_ROLE])
    yield from (f"{name}: is owned by {APP_ROLE}" for (name,) in owns)
    insertable_not = [*READ_ONLY, REVISION_TABLE]
    changeable_not = [*APPEND_ONLY, *insertable_not]
    excess = connection.execute(
        "SELECT relname, r FROM pg_class, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'INSERT', 'UPDATE', 'DELETE']) r"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND has_table_privilege(%s, oid, r)"
        " AND CASE r WHEN 'INSERT' THEN relname = ANY(%s) WHEN 'UPDATE' THEN relname = ANY(%s) WHEN 'DELETE' THEN relname = ANY(%s)"
        " ELSE true END ORDER BY 1, 2",
        [APP_ROLE, insertable_not, changeable_not, changeable_not],
    )
    yield from (f"{name}: {APP_ROLE} may {right}" for name, right in excess)
    makes = connection.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [APP_ROLE]).fetchone()
    if makes and makes[0]:
        yield f"{APP_ROLE}: makes tables in public"


def _signing_in(connection: Connection[Any]) -> Iterator[str]:
    """Tables of signing in within the app's reach, and shared tables that show other authorities' rows."""
    reached = connection.execute(
        "SELECT relname, privilege_type FROM pg_class, aclexplode(relacl) WHERE relname = ANY(%s)"
        " AND grantee IN (%s::regrole, 0) ORDER BY 1, 2",
        [list(OF_SIGNING_IN), APP_ROLE],
    )
    yield from (f"{name}: {APP_ROLE} may {right}" for name, right in reached)
    inherits = connection.execute("SELECT pg_has_role(%s, %s, 'USAGE')", [APP_ROLE, SIGN_IN_ROLE]).fetchone()
    if inherits and inherits[0]:
        yield f"{APP_ROLE}: has the rights of {SIGN_IN_ROLE} at all times"
    yield from _row_security(connection, SHARED_BY_AUTHORITY)
    open_policies = connection.execute(
        "SELECT tablename, policyname FROM pg_policies WHERE tablename = ANY(%s) AND roles <> ARRAY[%s::name]"
        " AND (roles <> ARRAY[%s::name] OR coalesce(qual, with_check) NOT LIKE '%%app.authority%%')",
        [list(SHARED_BY_AUTHORITY), SIGN_IN_ROLE, APP_ROLE],
    )
    yield from (f"{name}: its policy {policy} does not read the authority in scope" for name, policy in open_policies)


def _bypasses(connection: Connection[Any]) -> Iterator[str]:
    views = connection.execute(
        "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'f')"
    )
    kinds = {"v": "a view", "m": "a materialised view", "f": "a foreign table"}
    yield from (f"{name}: is {kinds[kind]}" for name, kind in views)
    definers = connection.execute(
        "SELECT proname, coalesce(proconfig, '{}'), has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    for name, settings, is_public in definers:
        if name not in RUN_AS_OWNER:
            yield f"{name}: a function that runs with its owner's rights"
        elif settings != [FIXED_SEARCH_PATH] or is_public:
            yield f"{name}: runs with its owner's rights and whatever the caller's search path finds, or for anybody"


def _identities(connection: Connection[Any]) -> Iterator[str]:
    """Columns numbered by the database: two shards would give the same numbers twice."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND (is_identity = 'YES' OR column_default LIKE 'nextval%%')"
    )
    numbered = ((table, column) for table, column in rows if (table, column) not in NUMBERED_BY_THE_DATABASE)
    yield from (f"{table}: {column} is numbered by the database" for table, column in numbered)
