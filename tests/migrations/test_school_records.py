"""Migration 0006 with the data of a running portal: many records, one child, nothing lost."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from psycopg import sql

import migrations
from portal.pupils.domain.changes import reference_of
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

DATABASE = "portal_school_records"
NAMES = UUID("6b0c2a51-52f7-4a87-9a3e-0d1b9f1c5e01")
MANY = 5_000


def uid(name: str) -> UUID:
    """The id of a planted thing, by its name."""
    return uuid5(NAMES, name)


@pytest.fixture
def config() -> Iterator[Config]:
    """Alembic's configuration for a database at the revision before, with nothing in it."""
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{DATABASE}" OWNER portal_owner')
    configured = Config()
    configured.set_main_option("script_location", str(migrations.HERE))
    configured.attributes["owner_url"] = os.environ[servers.OWNER].format(DATABASE)
    command.upgrade(configured, "0005_visibility")
    yield configured
    with psycopg.connect(os.environ[servers.SUPER], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


@pytest.fixture
def connection(config: Config) -> Iterator[Connection[Any]]:
    """A superuser's connection, past row security."""
    with psycopg.connect(os.environ[servers.SUPER], dbname=DATABASE, autocommit=True) as connected:
        yield connected


def insert(connection: Connection[Any], table: str, **values: object) -> None:
    """Insert one row of the authority."""
    row = {"authority_id": uid("authority"), **values}
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() for _ in row),
    )
    connection.execute(statement, list(row.values()))


def insert_school(connection: Connection[Any], name: str) -> None:
    insert(connection, "school", id=uid(name), urn=str(uid(name).int)[:6], name=name, phase="primary")


def insert_pupil(connection: Connection[Any], name: str, **values: object) -> None:
    names = {"surname": "Ash", "surname_folded": "ash", "forename": name, "forename_folded": name.lower()}
    row = {"id": uid(name), **names, "date_of_birth": "2016-01-15", "reference": reference_of(uid(name)), **values}
    insert(connection, "pupil", **row)


def insert_line(connection: Connection[Any], school: str, line: int, pupil: str, first_day: str) -> None:
    insert(
        connection,
        "roll_line",
        id=uid(f"line {school} {pupil}"),
        school_id=uid(school),
        academic_year=2025,
        line=line,
        pupil_id=uid(pupil),
        enrolment_status="C",
        on_roll_from=first_day,
    )


def insert_question(connection: Connection[Any], name: str, school: str, pupil: str, key: str, **values: object) -> None:
    upn, surname, forename, born = key.split("|")
    incoming = {"upn": upn or None, "surname": surname.title(), "forename": forename.title(), "date_of_birth": born, "eal": True}
    row: dict[str, object] = {"across_schools": True, "academic_year": 2025, "asked_at": "2026-01-05", **values}
    insert(
        connection,
        "possible_duplicate",
        id=uid(name),
        school_id=uid(school),
        pupil_id=uid(pupil),
        match_key=key,
        incoming=json.dumps(incoming),
        differing_fields="UPN",
        **row,
    )


def plant(connection: Connection[Any]) -> None:
    """Amy moved from Old to New; Bo, her brother, is at Old; Cy at New; Di at Third."""
    for name in ("Old", "New", "Third"):
        insert_school(connection, name)
    insert_pupil(connection, "Amy", upn="A1", address="1 Row", ethnicity="WBRI")
    for name in ("Bo", "Cy", "Di"):
        insert_pupil(connection, name)
    insert_line(connection, "New", 1, "Amy", "2026-01-05")
    insert_line(connection, "Old", 1, "Amy", "2025-09-01")
    insert_line(connection, "Old", 2, "Bo", "2025-09-01")
    insert_line(connection, "New", 2, "Cy", "2025-09-01")
    insert_line(connection, "Third", 1, "Di", "2025-09-01")
    for number, school in enumerate(("Old", "New"), 1):
        plant_year(connection, school, number)
    plant_family(connection)
    plant_questions(connection)


def plant_year(connection: Connection[Any], school: str, number: int) -> None:
    """Amy's year at a school: a note, a summary, an upload and a total of it."""
    insert(
        connection,
        "mark_note",
        id=uid(f"note {school}"),
        school_id=uid(school),
        pupil_id=uid("Amy"),
        on="2026-01-06",
        session="AM",
    )
    counts = dict.fromkeys(
        (
            *("possible", "present", "approved", "authorised", "unauthorised", "late_before", "late_after", "missing"),
            *("unexplained", "absence_periods", "longest_absence", "recent_possible", "recent_absent", "last_week_possible"),
            *("last_week_absent", "threshold_window", "threshold_best", "headline_possible", "headline_absent"),
        ),
        number,
    )
    key = {"school_id": uid(school), "academic_year": 2025, "line": 1}
    insert(connection, "pupil_year_summary", **key, pupil_id=uid("Amy"), **counts)
    upload = {
        "id": uid(f"upload {school}"),
        "school_id": uid(school),
        "kind": "totals",
        "state": "received",
        "add_pupils": False,
    }
    sizes = {"file_name": "x", "sha256": "x", "size": 1, "received_at": "2026-01-06", "mapping": "{}", "preview": "{}"}
    insert(connection, "upload", **upload, **sizes, rows_in=0, rows_stored=0, rows_rejected=0)
    total = {"id": uid(f"total {school}"), "upload_id": uid(f"upload {school}"), "school_id": uid(school), "span": "autumn"}
    insert(connection, "reported_total", **total, pupil_id=uid("Amy"))


def plant_family(connection: Connection[Any]) -> None:
    """Two parents, each of two pupils, and Amy's need."""
    insert(connection, "parent", id=uid("Mum"), name="Mum", phone="1", do_not_disclose=True)
    insert(connection, "parent", id=uid("Carer"), name="Carer", do_not_disclose=False)
    for pupil, parent in (("Amy", "Mum"), ("Bo", "Mum"), ("Cy", "Carer"), ("Di", "Carer")):
        link = {"id": uid(f"{parent} of {pupil}"), "pupil_id": uid(pupil), "parent_id": uid(parent), "relationship": "Mother"}
        insert(connection, "pupil_contact", **link, priority=1)
    need = {"kind": "fsm", "value": "Y", "first_day": "2025-10-01", "recorded_at": "2025-10-01"}
    insert(connection, "characteristic", id=uid("need"), pupil_id=uid("Amy"), **need)


def plant_questions(connection: Connection[Any]) -> None:
    """Questions about duplicates: two waiting, two decided."""
    decided = {"decided_at": "2026-01-07", "decided_by": uid("person")}
    insert_question(connection, "in school", "Old", "Bo", "|ash|beau|2016-01-15", across_schools=False)
    insert_question(connection, "elsewhere", "Third", "Amy", "A9|ash|amy|2016-01-15")
    insert_question(
        connection, "twin", "Third", "Cy", "|ash|di|2016-01-15", decision="different", resolved_pupil_id=uid("Di"), **decided
    )
    insert_question(
        connection, "moved", "New", "Amy", "|ash|amy|2016-01-15", decision="same", resolved_pupil_id=uid("Amy"), **decided
    )


def rows(connection: Connection[Any], query: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values or None).fetchall()


def new_record(connection: Connection[Any], school: str = "New", forename: str = "Amy") -> UUID:
    """A record made by the migration: of this child at this school."""
    query = "SELECT id FROM pupil WHERE school_id = %s AND forename = %s"
    ((record_id,),) = connection.execute(query, (uid(school), forename)).fetchall()
    assert isinstance(record_id, UUID)
    return record_id


def test_a_pupil_at_two_schools_becomes_two_records_and_one_child(config: Config, connection: Connection[Any]) -> None:
    plant(connection)
    command.upgrade(config, "head")
    copy = new_record(connection)
    records = {(uid("Amy"), "Old"), (copy, "New"), (uid("Bo"), "Old"), (uid("Cy"), "New"), (uid("Di"), "Third")}
    records |= {(new_record(connection, "Third", "Amy"), "Third")}
    assert set(rows(connection, "SELECT p.id, s.name FROM pupil p JOIN school s ON s.id = p.school_id")) == records
    assert rows(connection, "SELECT upn, address, ethnicity, reference FROM pupil WHERE id = %s", copy) == [
        ("A1", "1 Row", "WBRI", reference_of(copy))
    ]
    for table in ("roll_line", "mark_note", "pupil_year_summary", "reported_total"):
        query = f"SELECT s.name, t.pupil_id FROM {table} t JOIN school s ON s.id = t.school_id"  # noqa: S608  our own names
        of_amy = {row for row in rows(connection, query) if row[1] in {uid("Amy"), copy}}
        assert of_amy == {("Old", uid("Amy")), ("New", copy)}, table
    links = rows(connection, "SELECT child_id, array_agg(pupil_id ORDER BY basis) FROM child_link GROUP BY child_id")
    assert sorted(sorted(ids) for _, ids in links) == sorted(
        [sorted([uid("Amy"), copy]), *([record_id] for record_id, _ in records if record_id not in {uid("Amy"), copy})]
    )
    assert rows(connection, "SELECT basis, count(*) FROM child_link GROUP BY 1 ORDER BY 1") == [("first", 5), ("upgrade", 1)]
    assert rows(connection, "SELECT count(*) FROM child") == [(5,)]


def test_contacts_and_needs_are_copied_to_each_record(config: Config, connection: Connection[Any]) -> None:
    plant(connection)
    command.upgrade(config, "head")
    contacts = rows(
        connection,
        "SELECT c.name, s.name, c.do_not_disclose, c.phone, array_agg(p.forename ORDER BY p.forename) FROM contact c"
        " JOIN school s ON s.id = c.school_id JOIN pupil_contact l ON l.contact_id = c.id JOIN pupil p ON p.id = l.pupil_id"
        " GROUP BY c.id, c.name, s.name, c.do_not_disclose, c.phone ORDER BY c.name, s.name",
    )
    assert contacts == [
        ("Carer", "New", False, None, ["Cy"]),
        ("Carer", "Third", False, None, ["Di"]),
        ("Mum", "New", True, "1", ["Amy"]),
        ("Mum", "Old", True, "1", ["Amy", "Bo"]),
    ]
    assert rows(connection, "SELECT s.name FROM contact c JOIN school s ON s.id = c.school_id WHERE c.id = %s", uid("Mum")) == [
        ("Old",)
    ]
    needs = rows(connection, "SELECT p.id, c.kind, c.first_day::text FROM characteristic c JOIN pupil p ON p.id = c.pupil_id")
    assert set(needs) == {(uid("Amy"), "fsm", "2025-10-01"), (new_record(connection), "fsm", "2025-10-01")}
    assert rows(connection, "SELECT pupil_id FROM characteristic WHERE id = %s", uid("need")) == [(uid("Amy"),)]


def test_questions_stay_with_their_school_or_become_the_authoritys(config: Config, connection: Connection[Any]) -> None:
    plant(connection)
    command.upgrade(config, "head")
    of_schools = rows(connection, "SELECT id, pupil_id, resolved_pupil_id, decision FROM possible_duplicate")
    assert set(of_schools) == {
        (uid("in school"), uid("Bo"), None, None),
        (uid("moved"), new_record(connection), new_record(connection), "same"),
        (uid("twin"), uid("Di"), uid("Di"), "different"),
    }
    sent = new_record(connection, "Third", "Amy")
    of_authority = rows(connection, "SELECT id, pupil_id, other_pupil_id, decision, decided_by FROM possible_same_child")
    assert set(of_authority) == {
        (uid("elsewhere"), *sorted((sent, uid("Amy"))), None, None),
        (uid("twin"), *sorted((uid("Cy"), uid("Di"))), "different", uid("person")),
    }
    columns = "SELECT upn, surname, surname_folded, forename_folded, date_of_birth::text, eal FROM pupil"
    assert rows(connection, f"{columns} WHERE id = %s", sent) == [("A9", "Ash", "ash", "amy", "2016-01-15", True)]


@pytest.mark.parametrize(
    ("stray", "sentence"),
    [
        (lambda connection: insert_pupil(connection, "Nobody's"), "Pupils that no school names: 1"),
        (
            lambda connection: insert(connection, "parent", id=uid("x"), name="x", do_not_disclose=False),
            "Parents or carers of no pupil: 1",
        ),
    ],
    ids=["pupil", "parent"],
)
def test_what_no_school_names_stops_the_migration(config: Config, connection: Connection[Any], stray: Any, sentence: str) -> None:
    plant(connection)
    stray(connection)
    with pytest.raises(RuntimeError, match=sentence):
        command.upgrade(config, "head")
    assert rows(connection, "SELECT version_num FROM alembic_version") == [("0005_visibility",)]
    assert rows(connection, "SELECT count(*) FROM pupil_contact WHERE parent_id IS NOT NULL") == [(4,)]


def test_going_back_makes_one_pupil_of_a_childs_records(config: Config, connection: Connection[Any]) -> None:
    plant(connection)
    tables = (
        "pupil",
        "parent",
        "pupil_contact",
        "characteristic",
        "roll_line",
        "mark_note",
        "pupil_year_summary",
        "reported_total",
    )
    queries = {table: f"SELECT * FROM {table} ORDER BY authority_id, {table}::text" for table in tables}  # noqa: S608  our names
    before = {table: rows(connection, query) for table, query in queries.items() if table not in {"pupil", "parent"}}
    command.upgrade(config, "head")
    command.downgrade(config, "0005_visibility")
    after = {table: rows(connection, queries[table]) for table in before}
    assert {table: len(stored) for table, stored in after.items()} == {table: len(stored) for table, stored in before.items()}
    for table in ("roll_line", "mark_note", "pupil_year_summary", "reported_total", "characteristic"):
        assert after[table] == before[table], table
    assert rows(connection, "SELECT count(*) FROM pupil") == [(4,)]
    assert rows(connection, "SELECT name FROM parent ORDER BY name") == [("Carer",), ("Carer",), ("Mum",)]
    command.upgrade(config, "head")


def test_row_security_is_as_the_models_say(config: Config, connection: Connection[Any]) -> None:
    """After the upgrade of a portal with data, as after a first start."""
    plant(connection)
    command.upgrade(config, "head")
    unforced = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity AND NOT relforcerowsecurity"
    )
    assert rows(connection, unforced) == []
    with connection.transaction():
        connection.execute("SET LOCAL ROLE portal_app")
        connection.execute(f"SET LOCAL app.authority = '{uid('authority')}'")
        connection.execute(f"SET LOCAL app.schools = '{uid('New')}'")
        assert {name for (name,) in rows(connection, "SELECT forename FROM pupil")} == {"Amy", "Cy"}
        assert {name for (name,) in rows(connection, "SELECT name FROM contact")} == {"Carer", "Mum"}
        assert rows(connection, "SELECT * FROM child_link") == rows(connection, "SELECT * FROM possible_same_child") == []


@pytest.mark.slow
def test_a_school_of_thousands_is_moved(config: Config, connection: Connection[Any]) -> None:
    """Two rolls with most of their pupils in common."""
    for name in ("Old", "New"):
        insert_school(connection, name)
    connection.execute(
        "INSERT INTO pupil (authority_id, id, surname, forename, surname_folded, forename_folded, date_of_birth, reference)"
        " SELECT %s, gen_random_uuid(), 'Ash', n::text, 'ash', n::text, '2016-01-15', '' FROM generate_series(1, %s) n",
        (uid("authority"), MANY),
    )
    for school, share in (("Old", MANY), ("New", MANY // 5)):
        connection.execute(
            "INSERT INTO roll_line (authority_id, id, school_id, academic_year, line, pupil_id, enrolment_status, on_roll_from)"
            " SELECT authority_id, gen_random_uuid(), %s, 2025, forename::int, id, 'C', '2025-09-01' FROM pupil"
            " WHERE forename::int <= %s",
            (uid(school), share),
        )
    command.upgrade(config, "0006_school_records")
    assert rows(connection, "SELECT count(*) FROM pupil") == [(MANY + MANY // 5,)]
