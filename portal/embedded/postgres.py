"""The embedded PostgreSQL: its cluster, its roles, its start and its stop."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from portal.embedded import binaries, children, folder
from portal.embedded.children import CannotStartError, ServerUser

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DATABASE = "portal"
OWNER = "portal_owner"
APP = "portal_app"
SUPERUSER = "postgres"

#: How long the server may take to answer after a crash, when it replays what it had promised to keep; seconds.
LONGEST_START = 120.0
#: Reasons not to start that pass by themselves: another program took the port, or a dead server's last parts are ending.
PASSING = ("could not bind", "is still in use", "Address already in use")
#: From this major on PostgreSQL has a collation of its own that is the same on every system.
BUILTIN_LOCALE_FROM = 17

#: For a laptop. Durable: what was acknowledged is on the disk.
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

#: For tests, whose database is thrown away: nothing waits for the disk.
THROWAWAY: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "autovacuum": "off",
}


class EmbeddedPostgres:
    """One PostgreSQL server of ours on one data folder. The caller keeps two of them off one folder (`portal.embedded.running`)."""

    def __init__(self, data_dir: Path, *, durable: bool = True, environ: Mapping[str, str] | None = None) -> None:
        """Say where; nothing happens before `start`. `durable=False` is for tests only: a crash may lose everything."""
        self.data_dir = data_dir
        self.cluster = data_dir / "postgres" / "cluster"
        self.child: children.Child | None = None
        self._durable = durable
        self._environ = dict(os.environ if environ is None else environ)
        self._port = 0
        self._passwords: folder.Passwords | None = None

    def start(self) -> None:
        """Start the server, making its cluster, roles and database where they are not there yet.

        Raises:
            CannotStartError: with a sentence that says what to do.
        """
        user = ServerUser.chosen()
        folder.prepare(self.data_dir, user)
        programs = binaries.postgres_programs(self._environ, user, self.data_dir / "pgbin")
        exists = (self.cluster / "PG_VERSION").is_file()
        self._passwords = folder.Passwords.kept_in(self.data_dir, cluster_exists=exists)
        if exists:
            self._refuse_other_major(programs, user)
            self._end_orphan()
        else:
            self._make_cluster(programs, user)
        until = time.monotonic() + children.PATIENCE
        while not self._came_up(programs, user):
            if time.monotonic() > until or not self._may_pass():
                raise CannotStartError(self._why_not())
            time.sleep(0.2)
        self._make_roles()

    def stop(self, patience: float = children.PATIENCE) -> None:
        """Shut down fast but cleanly: connections are cut, everything acknowledged is on the disk."""
        if self.child is not None:
            self.child.stop(patience)
            self.child = None

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address of a database on this server for one of its roles.

        Raises:
            KeyError: for a role that is not one of ours.
        """
        if self._passwords is None:
            message = "The embedded PostgreSQL has not been started."
            raise RuntimeError(message)
        known = {SUPERUSER: self._passwords.postgres, OWNER: self._passwords.portal_owner, APP: self._passwords.portal_app}
        return f"postgresql://{role}:{known[role]}@127.0.0.1:{self._port}/{database}"

    @property
    def owner_url(self) -> str:
        """The portal's database as its owner, who is no superuser: for migrations."""
        return self.url(OWNER)

    @property
    def app_url(self) -> str:
        """The portal's database as the restricted role the portal runs as."""
        return self.url(APP)

    @property
    def superuser_url(self) -> str:
        """The server's own database as its superuser: for making and dropping databases, and for tests of the catalogue."""
        return self.url(SUPERUSER, "postgres")

    def create_database(self, name: str, template: str = "template0") -> None:
        """Make another database owned by the owner role, as a copy of `template`, which nobody may be connected to."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            self._create_database(connection, name, template)

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting whoever is connected to it."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _server_environ(self) -> dict[str, str]:
        kept = {name: value for name, value in self._environ.items() if name in {"PATH", "LD_LIBRARY_PATH", "TMPDIR"}}
        return {**kept, "TZ": "UTC", "LC_ALL": "C"}

    def _version(self, programs: Path, user: ServerUser) -> int:
        said = children.run_as(user, [str(programs / "postgres"), "--version"], self._server_environ())
        return binaries.major_version(said.stdout)

    def _refuse_other_major(self, programs: Path, user: ServerUser) -> None:
        ours = int((self.cluster / "PG_VERSION").read_text().strip().split(".")[0])
        theirs = self._version(programs, user)
        if ours != theirs:
            message = (
                f"Set PORTAL_DATA_DIR to another folder, or move the data over: the database in {self.data_dir} was made by "
                f"PostgreSQL {ours} and the programs in {programs} are PostgreSQL {theirs}. To move it: (1) start the portal with "
                f"PORTAL_PG_BINDIR set to the programs of PostgreSQL {ours}; (2) pg_dump --format=custom --file=portal.dump "
                f"ADDRESS, the address being superuser_url in {self.data_dir / 'servers.json'}; (3) stop the portal and move "
                f"{self.cluster.parent} away; (4) start it as now with PORTAL_DEMO=0; (5) pg_restore --clean --if-exists "
                "--dbname=ADDRESS portal.dump, with the new address."
            )
            raise CannotStartError(message)

    def _make_cluster(self, programs: Path, user: ServerUser) -> None:
        """Run initdb beside the final place and move the whole cluster there, so that a half-made one is never found."""
        if self._passwords is None:
            raise AssertionError
        draft = self.cluster.with_name("cluster.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.parent.mkdir(exist_ok=True, mode=0o700)
        user.own(draft.parent)
        secret = draft.parent / "first-password"
        folder.keep_private(secret, self._passwords.postgres)
        user.own(secret)
        modern = self._version(programs, user) >= BUILTIN_LOCALE_FROM
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if modern else ["--locale=C.UTF-8"]
        command = [str(programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, f"--pwfile={secret}", "--encoding=UTF8"]
        asked = [*command, *locale, "--auth=scram-sha-256", "--data-checksums", *([] if self._durable else ["--no-sync"])]
        made = children.run_as(user, asked, self._server_environ())
        secret.unlink()
        if made.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            last = (made.stderr or made.stdout).strip().splitlines()[-1:]
            message = f"The database could not be made in {self.data_dir}: {' '.join(last)}"
            raise CannotStartError(message)
        draft.rename(self.cluster)

    def _end_orphan(self) -> None:
        """See off a server whose starter died, and the lock file of one that died with it."""
        lock = self.cluster / "postmaster.pid"
        if not lock.is_file():
            return
        first = lock.read_text().split("\n", 1)[0].strip()
        if first.isdecimal():
            children.end_orphan(int(first), str(self.cluster), signal.SIGINT)
        lock.unlink(missing_ok=True)

    def _came_up(self, programs: Path, user: ServerUser) -> bool:
        """Start it on a port free a moment ago. False when it gave up before it answered."""
        self._port = children.free_port()
        chosen = {**SETTINGS, **({} if self._durable else THROWAWAY), "port": str(self._port)}
        command = [str(programs / "postgres"), "-D", str(self.cluster)]
        for name, value in chosen.items():
            command += ["-c", f"{name}={value}"]
        log = self.data_dir / "postgres.log"
        log.write_bytes(b"")
        self.child = children.start(
            "The database", command, environ=self._server_environ(), log=log, user=user, stop_signal=signal.SIGINT
        )
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until and self.child.is_alive():
            try:
                psycopg.connect(self.superuser_url, connect_timeout=3).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return True
        self.child.kill()
        return False

    def _may_pass(self) -> bool:
        words = self.child.last_words() if self.child is not None else ""
        return any(reason in words for reason in PASSING)

    def _why_not(self) -> str:
        words = self.child.last_words(4) if self.child is not None else ""
        if "No space left" in words:
            return f"Free some space, or set PORTAL_DATA_DIR to another disk: {self.data_dir} is full."
        return f"The database did not start; {self.data_dir / 'postgres.log'} says why. It ends:\n{words}"

    def _make_roles(self) -> None:
        """The owner, the restricted role and the database; safe to repeat, so that a start cut short heals."""
        if self._passwords is None:
            raise AssertionError
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            there = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role, password in ((OWNER, self._passwords.portal_owner), (APP, self._passwords.portal_app)):
                if role not in there:
                    connection.execute(
                        sql.SQL(
                            "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
                        ).format(sql.Identifier(role), password)
                    )
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(OWNER)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                self._create_database(connection, DATABASE, "template0")

    @staticmethod
    def _create_database(connection: psycopg.Connection[tuple[object, ...]], name: str, template: str) -> None:
        new, copied, owner, app = (sql.Identifier(one) for one in (name, template, OWNER, APP))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(new, owner, copied))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(new))
        connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(new, app))
