"""The portal's processes, each started by itself on a copy of the demonstration.

So a test can kill one of them while the others run on.
"""

from __future__ import annotations

import os
import re
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode, urlsplit

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from config.revision import REPOSITORY
from config.settings import Settings
from local import child_processes, supervisor
from local.child_processes import Child, ServerUser, free_port
from local.locks import start_for_portal
from tests.support.running_portal import Database, environ_for, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID


class Answer(NamedTuple):
    """A page as it arrived: its status, its path after redirects, and its HTML."""

    status: int
    path: str
    html: str

    @property
    def text(self) -> str:
        """The text of the page without tags, with white space folded."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.html))


class HttpVisitor:
    """A person of the demonstration, signed in over HTTP like a browser without script."""

    def __init__(self, address: str, membership_id: UUID) -> None:
        """Sign in with the demonstration's one-press button."""
        self._address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._token = ""
        self.get("/sign-in")
        assert self.post("/demonstration/sign-in", {"membership": str(membership_id)}).status == 200

    def get(self, path: str) -> Answer:
        """Fetch a page. Any status is returned, errors too."""
        return self._open(path)

    def post(self, path: str, values: dict[str, str], content: bytes | None = None) -> Answer:
        """Send a form, with a file of marks if given, and follow redirects."""
        values = {"csrf_token": self._token, **values}
        if content is None:
            return self._open(path, urlencode(values).encode())
        parts = [f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in values.items()]
        parts.append('--part\r\nContent-Disposition: form-data; name="file"; filename="marks.csv"\r\n\r\n')
        body = "".join(parts).encode() + content + b"\r\n--part--\r\n"
        return self._open(path, body, {"Content-Type": "multipart/form-data; boundary=part"})

    def _open(self, path: str, body: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})) -> Answer:
        request = urllib.request.Request(self._address + path, body, dict(headers))  # noqa: S310  the portal under test
        try:
            with self._opener.open(request, timeout=60) as response:
                answer = Answer(response.status, urlsplit(response.url).path, response.read().decode())
        except urllib.error.HTTPError as error:
            answer = Answer(error.code, urlsplit(error.url).path, error.read().decode())
        self._token = (re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', answer.html) or [self._token])[0]
        return answer


class PortalProcesses:
    """Database, queue, web and workers as separate processes."""

    def __init__(self, data_dir: Path) -> None:
        """Start the servers, keep a second copy of the database to compare with, and start the web."""
        port = free_port()
        environ = environ_for(data_dir, PORTAL_PORT=str(port), PORTAL_DEMO="1", PORTAL_WEB_WORKERS="1", PORTAL_METRICS_PORT="0")
        self.settings = Settings.from_environment(environ)
        self.own, servers = start_for_portal(self.settings)
        self._environ = {**environ, "DATABASE_URL": servers.app_url, "REDIS_URL": servers.redis_url}
        self.app_url, self.redis_url = servers.app_url, servers.redis_url
        assert self.own.postgres is not None
        assert self.own.valkey is not None
        self.postgres, self.valkey = self.own.postgres, self.own.valkey
        self.database = Database(self.postgres.url("postgres"))
        self.clean = Database(self.postgres.url("postgres", "clean"))
        self.postgres.create_database("clean", "portal")
        self.redis = Redis.from_url(self.redis_url, socket_timeout=5)
        self.workers: list[Child] = []
        #: Did the last test pass? After a failure the next one would only repeat it.
        self.last_test_passed = True
        self.web = self.start_web()

    @property
    def address(self) -> str:
        """The address of the web process."""
        return f"http://127.0.0.1:{self.settings.port}"

    def log(self, name: str) -> str:
        """The log of a process."""
        return (self.settings.data_dir / name).read_text()

    def start_web(self) -> Child:
        """Start the web process on its port, and wait until it answers."""
        self.web = self._start("web", supervisor.ChildCommands().web)
        wait_until("the web answers", self.alive, within=40)
        return self.web

    def start_worker(self) -> Child:
        """Start one more worker."""
        self.workers.append(self._start("worker", supervisor.ChildCommands().worker))
        return self.workers[-1]

    def _start(self, name: str, command: Sequence[str]) -> Child:
        log = self.settings.data_dir / f"{name}.log"
        return child_processes.start(name, command, environ=self._environ, log=log, cwd=str(REPOSITORY))

    def alive(self) -> bool:
        """Does the web process answer its health check?"""
        with suppress(OSError), urllib.request.urlopen(f"{self.address}/livez", timeout=5):  # noqa: S310  the portal under test
            return True
        return False

    def kill_postgres(self) -> list[str]:
        """Kill the database server, and return the command that had started it."""
        assert self.postgres.child is not None
        command = Path(f"/proc/{self.postgres.child.pid}/cmdline").read_text().split("\0")[:-1]
        self.postgres.child.kill()
        return command

    def restart_postgres(self, command: list[str]) -> None:
        """Start the database server on the same data and port, and wait until it accepts connections."""
        environ = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}

        def answers() -> bool:
            if self.postgres.child is None or not self.postgres.child.is_alive():
                log = self.settings.data_dir / "postgres.log"
                self.postgres.child = child_processes.start(
                    "The database", command, environ=environ, log=log, user=ServerUser.for_current_process()
                )
            with suppress(psycopg.OperationalError):
                return bool(self.database.value("SELECT true"))
            return False

        wait_until("the database is back", answers)

    def kill_valkey(self) -> str:
        """Kill the queue server, and return its program."""
        assert self.valkey.child is not None
        program = str(Path(f"/proc/{self.valkey.child.pid}/exe").readlink())
        self.valkey.child.kill()
        return program

    def restart_valkey(self, program: str) -> None:
        """Start the queue server on the same port, and wait until it answers."""
        address = urlsplit(self.redis_url)
        folder = self.settings.data_dir / "valkey"
        config = f'port {address.port}\nbind 127.0.0.1\nrequirepass {address.password}\ndir "{folder}"\nappendonly yes\n'
        self.valkey.child = child_processes.start(
            "The queue server",
            [program, "-"],
            environ={"PATH": os.environ["PATH"]},
            log=self.settings.data_dir / "valkey.log",
            user=ServerUser.for_current_process(),
            stdin=config.encode(),
            cwd=str(folder),
        )

        def answers() -> bool:
            with suppress(RedisError):
                return bool(self.redis.ping())
            return False

        wait_until("the queue is back", answers)

    @contextmanager
    def holding(self, lock: str, *parameters: object) -> Iterator[None]:
        """Hold a lock, so that every process that needs it waits.

        The lock is released at the end of the block, or when the database stops.
        """
        connection = psycopg.connect(self.database.url)
        connection.execute(lock.encode(), parameters)
        try:
            yield
        finally:
            connection.close()

    def waiter(self) -> int:
        """Wait until a process waits for a lock, and return the pid of its database backend."""
        waiting_pid = "SELECT coalesce(min(pid), 0) FROM pg_locks WHERE NOT granted"
        return wait_until("a process waits for the lock", lambda: int(self.database.value(waiting_pid)), within=30)

    def age_jobs(self) -> None:
        """Move the times of unfinished jobs an hour back, so that all are due to be sent again."""
        self.database.change(
            "UPDATE outbox_job SET sent_at = sent_at - interval '1 hour', run_after = run_after - interval '1 hour' "
            "WHERE done_at IS NULL AND failed_at IS NULL"
        )

    def stop_workers(self) -> None:
        """Kill every worker in the middle of its job."""
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def stop(self) -> None:
        """Stop every process."""
        self.redis.close()
        self.stop_workers()
        self.web.kill()
        self.own.stop(after_others=False)
