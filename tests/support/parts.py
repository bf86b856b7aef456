"""The portal's parts, each started by itself on a copy of the demonstration, so that one can be killed and the others live on."""

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
from portal import up
from portal.embedded import children
from portal.embedded.children import Child, ServerUser, free_port
from portal.embedded.running import owned
from tests.support.running import Database, environ_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID


class Answer(NamedTuple):
    """A page as it arrived: its status, its path and its text, white space folded."""

    status: int
    path: str
    html: str

    @property
    def text(self) -> str:
        """The words alone."""
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", self.html))


class Visitor:
    """Somebody of the demonstration, signed in over HTTP as a browser without script would be."""

    def __init__(self, address: str, membership_id: UUID) -> None:
        """Sign in with one press."""
        self._address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._token = ""
        self.get("/sign-in")
        assert self.post("/demonstration/sign-in", {"membership": str(membership_id)}).status == 200

    def get(self, path: str) -> Answer:
        """Fetch a page, whatever its status."""
        return self._arrive(path)

    def post(self, path: str, values: dict[str, str], content: bytes | None = None) -> Answer:
        """Send a form, with a file of marks if there is one; follows where it leads."""
        values = {"csrf_token": self._token, **values}
        if content is None:
            return self._arrive(path, urlencode(values).encode())
        parts = [f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in values.items()]
        parts.append('--part\r\nContent-Disposition: form-data; name="file"; filename="marks.csv"\r\n\r\n')
        body = "".join(parts).encode() + content + b"\r\n--part--\r\n"
        return self._arrive(path, body, {"Content-Type": "multipart/form-data; boundary=part"})

    def _arrive(self, path: str, body: bytes | None = None, told: Mapping[str, str] = MappingProxyType({})) -> Answer:
        asked = urllib.request.Request(self._address + path, body, dict(told))  # noqa: S310  our own address
        try:
            with self._opener.open(asked, timeout=60) as found:
                answer = Answer(found.status, urlsplit(found.url).path, found.read().decode())
        except urllib.error.HTTPError as refused:
            answer = Answer(refused.code, urlsplit(refused.url).path, refused.read().decode())
        self._token = (re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', answer.html) or [self._token])[0]
        return answer


class Parts:
    """Database, queue, web and workers, apart."""

    def __init__(self, data_dir: Path) -> None:
        """Start the servers, keep a second copy of the database to compare with, and start the web."""
        port = free_port()
        told = environ_of(data_dir, PORTAL_PORT=str(port), PORTAL_DEMO="1", PORTAL_WEB_WORKERS="1", PORTAL_METRICS_PORT="0")
        self.settings = Settings.from_environment(told)
        self.own, servers = owned(self.settings)
        self._environ = {**told, "DATABASE_URL": servers.app_url, "REDIS_URL": servers.redis_url}
        self.app_url, self.redis_url = servers.app_url, servers.redis_url
        assert self.own.postgres is not None
        assert self.own.valkey is not None
        self.postgres, self.valkey = self.own.postgres, self.own.valkey
        self.database = Database(self.postgres.url("postgres"))
        self.clean = Database(self.postgres.url("postgres", "clean"))
        self.postgres.create_database("clean", "portal")
        self.redis = Redis.from_url(self.redis_url, socket_timeout=5)
        self.workers: list[Child] = []
        #: Did the last test end well? Another would only repeat its failure.
        self.whole = True
        self.web = self.start_web()

    @property
    def address(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.settings.port}"

    def log(self, name: str) -> str:
        """Everything a part has said."""
        return (self.settings.data_dir / name).read_text()

    def start_web(self) -> Child:
        """Start the web on its port, and wait until it answers."""
        self.web = self._start("web", up.Plan().web)
        until("the web answers", self.alive, within=40)
        return self.web

    def start_worker(self) -> Child:
        """Start one more worker."""
        self.workers.append(self._start("worker", up.Plan().worker))
        return self.workers[-1]

    def _start(self, name: str, command: Sequence[str]) -> Child:
        log = self.settings.data_dir / f"{name}.log"
        return children.start(name, command, environ=self._environ, log=log, cwd=str(REPOSITORY))

    def alive(self) -> bool:
        """Does the web say that it is alive?"""
        with suppress(OSError), urllib.request.urlopen(f"{self.address}/livez", timeout=5):  # noqa: S310  our own address
            return True
        return False

    def kill_postgres(self) -> list[str]:
        """End the database server at once; how it had been started."""
        assert self.postgres.child is not None
        command = Path(f"/proc/{self.postgres.child.pid}/cmdline").read_text().split("\0")[:-1]
        self.postgres.child.kill()
        return command

    def restart_postgres(self, command: list[str]) -> None:
        """Start the database server on its data and its port again, and wait until it lets us in."""
        environ = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C"}

        def answers() -> bool:
            if self.postgres.child is None or not self.postgres.child.is_alive():
                log = self.settings.data_dir / "postgres.log"
                self.postgres.child = children.start("The database", command, environ=environ, log=log, user=ServerUser.chosen())
            with suppress(psycopg.OperationalError):
                return bool(self.database.one("SELECT true"))
            return False

        until("the database is back", answers)

    def kill_valkey(self) -> str:
        """End the queue server at once; its program."""
        assert self.valkey.child is not None
        program = str(Path(f"/proc/{self.valkey.child.pid}/exe").readlink())
        self.valkey.child.kill()
        return program

    def restart_valkey(self, program: str) -> None:
        """Start the queue server on its port again, and wait until it answers."""
        there = urlsplit(self.redis_url)
        folder = self.settings.data_dir / "valkey"
        lines = f'port {there.port}\nbind 127.0.0.1\nrequirepass {there.password}\ndir "{folder}"\nappendonly yes\n'
        self.valkey.child = children.start(
            "The queue server",
            [program, "-"],
            environ={"PATH": os.environ["PATH"]},
            log=self.settings.data_dir / "valkey.log",
            user=ServerUser.chosen(),
            stdin=lines.encode(),
            cwd=str(folder),
        )

        def answers() -> bool:
            with suppress(RedisError):
                return bool(self.redis.ping())
            return False

        until("the queue is back", answers)

    @contextmanager
    def holding(self, lock: str, *given: object) -> Iterator[None]:
        """Hold a lock, so that whoever needs it stops there; given up at the end, or with the database."""
        connection = psycopg.connect(self.database.url)
        connection.execute(lock.encode(), given)
        try:
            yield
        finally:
            connection.close()

    def waiter(self) -> int:
        """Wait until somebody stands at a lock that is held: the database's process that serves them."""
        found = "SELECT coalesce(min(pid), 0) FROM pg_locks WHERE NOT granted"
        return until("somebody waits at the lock", lambda: int(self.database.one(found)), within=30)

    def age_jobs(self) -> None:
        """Let as much time have passed as any job waits before it is sent again."""
        self.database.change(
            "UPDATE outbox_job SET sent_at = sent_at - interval '1 hour', run_after = run_after - interval '1 hour' "
            "WHERE done_at IS NULL AND failed_at IS NULL"
        )

    def stop_workers(self) -> None:
        """End every worker at once, with whatever it has in hand."""
        for worker in self.workers:
            worker.kill()
        self.workers.clear()

    def stop(self) -> None:
        """End everything."""
        self.redis.close()
        self.stop_workers()
        self.web.kill()
        self.own.stop(after_others=False)
