"""The embedded PostgreSQL: its cluster, its roles, and starting and stopping it."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from local import binaries, child_processes, folders
from local.child_processes import CannotStartError, ServerUser

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DATABASE = "portal"
OWNER = "portal_owner"
APP = "portal_app"
#: Owns nothing and cannot sign in: the app takes it on for the tables of signing in.
SIGN_IN = "portal_sign_in"
SUPERUSER = "postgres"

#: How many seconds the server may take to answer. After a crash it first replays its write-ahead log.
READY_TIMEOUT = 120.0
#: Failures that pass by themselves: another program took the port, or processes of a server that died are still ending.
TEMPORARY_FAILURES = ("could not bind", "is still in use", "Address already in use")
#: From this major version on, PostgreSQL has a built-in collation that is the same on every system.
BUILTIN_LOCALE_FROM = 17

#: For a laptop. Durable: a committed transaction is on the disk.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "min_wal_size": "128MB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "wal_compression": "pglz",
    "max_wal_senders": "2",
    "jit": "off",
    "synchronous_commit": "on",
    "fsync": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_checkpoints": "off",
    # Neither statements nor the values in them belong in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

#: For tests, whose database is thrown away: no commit waits for the disk.
THROWAWAY: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "autovacuum": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server on one data folder. `local.locks` keeps two servers off one folder."""

    def __init__(self, data_dir: Path, *, durable: bool = True, environ: Mapping[str, str] | None = None) -> None:
        """Note where it will run; `start` starts it. `durable=False` is for tests only: a crash may lose everything."""
        self.data_dir = data_dir
        self.cluster = data_dir / "postgres" / "cluster"
        self.child: child_processes.Child | None = None
        self._durable = durable
        self._environ = dict(os.environ if environ is None else environ)
        self._port = 0
        self._passwords: folders.Passwords | None = None

    def start(self) -> None:
        """Start the server, and make its cluster, roles and database if they do not exist.

        Raises:
            CannotStartError: with a sentence that says what to do.
        """
        user = ServerUser.for_current_process()
        folders.prepare(self.data_dir, user)
        programs = binaries.postgres_programs(self._environ, user, self.data_dir / "pgbin")
        exists = (self.cluster / "PG_VERSION").is_file()
        self._passwords = folders.Passwords.load_or_create(self.data_dir, cluster_exists=exists)
        if exists:
            self._refuse_other_version(programs, user)
            self._stop_orphan()
        else:
            self._make_cluster(programs, user)
        deadline = time.monotonic() + child_processes.STOP_TIMEOUT
        while not self._start_once(programs, user):
            if time.monotonic() > deadline or not self._is_temporary_failure():
                raise CannotStartError(self._failure_message())
            time.sleep(0.2)
        self._make_roles()

    def stop(self, timeout: float = child_processes.STOP_TIMEOUT) -> None:
        """Shut down fast but cleanly: connections are cut, and every committed transaction is on the disk."""
        if self.child is not None:
            self.child.stop(timeout)
            self.child = None

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address of a database on this server for one of its roles.

        Raises:
            KeyError: for a role the embedded server does not have.
        """
        if self._passwords is None:
            message = "The embedded PostgreSQL has not been started."
            raise RuntimeError(message)
        passwords = {SUPERUSER: self._passwords.postgres, OWNER: self._passwords.portal_owner, APP: self._passwords.portal_app}
        return f"postgresql://{role}:{passwords[role]}@127.0.0.1:{self._port}/{database}"

    @property
    def owner_url(self) -> str:
        """The portal's database as its owner, for migrations. The owner is not a superuser."""
        return self.url(OWNER)

    @property
    def app_url(self) -> str:
        """The portal's database as the restricted role the portal runs as."""
        return self.url(APP)

    @property
    def superuser_url(self) -> str:
        """The database “postgres” as the superuser: for making and dropping databases, and for tests of the catalogue."""
        return self.url(SUPERUSER, "postgres")

    def create_database(self, name: str, template: str = "template0") -> None:
        """Make another database for the owner role, copied from `template`, to which nobody may be connected."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            self._create_database(connection, name, template)

    def drop_database(self, name: str) -> None:
        """Remove a database, and cut every connection to it."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _server_environ(self) -> dict[str, str]:
        inherited = {name: value for name, value in self._environ.items() if name in {"PATH", "LD_LIBRARY_PATH", "TMPDIR"}}
        return {**inherited, "TZ": "UTC", "LC_ALL": "C"}

    def _version(self, programs: Path, user: ServerUser) -> int:
        finished = child_processes.run_as(user, [str(programs / "postgres"), "--version"], self._server_environ())
        return binaries.major_version(finished.stdout)

    def _refuse_other_version(self, programs: Path, user: ServerUser) -> None:
        cluster_version = int((self.cluster / "PG_VERSION").read_text().strip().split(".")[0])
        program_version = self._version(programs, user)
        if cluster_version != program_version:
            message = (
                f"Set PORTAL_DATA_DIR to another folder, or move the data over: the database in {self.data_dir} was made by "
                f"PostgreSQL {cluster_version} and the programs in {programs} are PostgreSQL {program_version}. To move it: "
                f"(1) start the portal with PORTAL_PG_BINDIR set to the programs of PostgreSQL {cluster_version}; "
                "(2) pg_dump --format=custom --file=portal.dump "
                f"ADDRESS, the address being superuser_url in {self.data_dir / 'servers.json'}; (3) stop the portal and move "
                f"{self.cluster.parent} away; (4) start it as now with PORTAL_DEMO=0; (5) pg_restore --clean --if-exists "
                "--dbname=ADDRESS portal.dump, with the new address."
            )
            raise CannotStartError(message)

    def _make_cluster(self, programs: Path, user: ServerUser) -> None:
        """Make the cluster in a draft folder and rename it, so that no start finds a half-made one."""
        if self._passwords is None:
            raise AssertionError
        draft = self.cluster.with_name("cluster.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(exist_ok=True, mode=0o700)
        user.give_to(draft.parent)
        password_file = draft.parent / "first-password"
        folders.write_private(password_file, self._passwords.postgres)
        user.give_to(password_file)
        modern = self._version(programs, user) >= BUILTIN_LOCALE_FROM
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if modern else ["--locale=C.UTF-8"]
        command = [str(programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, f"--pwfile={password_file}", "--encoding=UTF8"]
        arguments = [*command, *locale, "--auth=scram-sha-256", "--data-checksums", *([] if self._durable else ["--no-sync"])]
        finished = child_processes.run_as(user, arguments, self._server_environ())
        password_file.unlink()
        if finished.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            last = (finished.stderr or finished.stdout).strip().splitlines()[-1:]
            message = f"The database could not be made in {self.data_dir}: {' '.join(last)}"
            raise CannotStartError(message)
        draft.rename(self.cluster)

    def _stop_orphan(self) -> None:
        """Stop a server whose starter died, and remove the lock file of one that died too.

        Its lock file would make PostgreSQL refuse to start, if by then its number belongs to another process.
        """
        lock = self.cluster / "postmaster.pid"
        if not lock.is_file():
            return
        first = lock.read_text().split("\n", 1)[0].strip()
        if first.isdecimal():
            child_processes.stop_orphan(int(first), str(self.cluster), signal.SIGINT)
        lock.unlink(missing_ok=True)

    def _start_once(self, programs: Path, user: ServerUser) -> bool:
        """Start it on a free port. False when it ended, or took too long, before it answered.

        The port is free when it is picked, not necessarily when the server binds it: hence the caller's retries.
        """
        self._port = child_processes.free_port()
        settings = {**SETTINGS, **({} if self._durable else THROWAWAY), "port": str(self._port)}
        command = [str(programs / "postgres"), "-D", str(self.cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = self.data_dir / "postgres.log"
        log.write_bytes(b"")
        self.child = child_processes.start(
            "The database", command, environ=self._server_environ(), log=log, user=user, stop_signal=signal.SIGINT
        )
        deadline = time.monotonic() + READY_TIMEOUT
        while time.monotonic() < deadline and self.child.is_alive():
            try:
                psycopg.connect(self.superuser_url, connect_timeout=3).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        self.child.kill()
        return False

    def _is_temporary_failure(self) -> bool:
        tail = self.child.log_tail() if self.child is not None else ""
        return any(reason in tail for reason in TEMPORARY_FAILURES)

    def _failure_message(self) -> str:
        tail = self.child.log_tail(4) if self.child is not None else ""
        if "No space left" in tail:
            return f"Free some space, or set PORTAL_DATA_DIR to another disk: {self.data_dir} is full."
        return f"The database did not start; {self.data_dir / 'postgres.log'} says why. It ends:\n{tail}"

    def _make_roles(self) -> None:
        """Make the owner, the app's two roles and the database if they do not exist.

        Runs at each start, because the first one may have been cut short between any two of these statements.
        """
        if self._passwords is None:
            raise AssertionError
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role, password in ((OWNER, self._passwords.portal_owner), (APP, self._passwords.portal_app)):
                if role not in existing:
                    connection.execute(
                        sql.SQL(
                            "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
                        ).format(sql.Identifier(role), password)
                    )
            if SIGN_IN not in existing:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(SIGN_IN)))
            # Without inheriting: otherwise the app would have the rights of signing in at all times.
            connection.execute(sql.SQL("ALTER ROLE {} NOINHERIT").format(sql.Identifier(APP)))
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(SIGN_IN), sql.Identifier(APP)))
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(OWNER)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                self._create_database(connection, DATABASE, "template0")

    @staticmethod
    def _create_database(connection: psycopg.Connection[tuple[object, ...]], name: str, template: str) -> None:
        new, source, owner, app = (sql.Identifier(identifier) for identifier in (name, template, OWNER, APP))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(new, owner, source))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(new))
        connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(new, app))
