"""What the image would hold, run without a container engine: its files, commands and settings, on real servers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from redis import Redis

from config.revision import REPOSITORY
from config.settings import Settings
from local.binaries import postgres_folders, valkey_program
from local.child_processes import ServerUser, free_port
from local.postgres import EmbeddedPostgres
from local.valkey import answers
from tests.local.conftest import temporary_data_folder
from tests.run.test_nginx import NGINX, SHIPPED, Proxy
from tests.support import containers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PASSWORDS = containers.EXAMPLE_ENVIRONMENT


def copy_image(folder: Path) -> None:
    """Copy what the Dockerfile copies, without what .dockerignore leaves out."""
    left_out = [line.removeprefix("**/") for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:2] == "**"]
    for source, target in containers.stages()["portal"].copied:
        shutil.copytree(REPOSITORY / source, folder / target, ignore=shutil.ignore_patterns(*left_out))


def wait_until(question: Callable[[], object], seconds: float = 20.0) -> bool:
    """Ask until the answer is yes, or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if question():
            return True
        time.sleep(0.1)
    return False


class Installation:
    """The services of compose.yaml as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        """Start the database and the queue the way compose.yaml does."""
        self.folder = folder
        self.image = folder / "image"
        copy_image(self.image)
        self.web_port, self.queue_port = free_port(), free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.postgres = EmbeddedPostgres(folder, durable=False)
        self.postgres.start()
        self.make_roles()
        self.start_queue()
        self.files_at_start = self.files()

    def files(self) -> set[Path]:
        """Every file of the image."""
        return set(self.image.rglob("*"))

    def make_roles(self) -> None:
        """Run config/roles.sql with psql, as the image of PostgreSQL does on an empty volume."""
        with psycopg.connect(self.postgres.superuser_url, autocommit=True) as connection:
            # The embedded server comes with the portal's roles; the container's starts without them.
            connection.execute("DROP DATABASE portal")
            connection.execute("DROP ROLE portal_app")
            connection.execute("DROP ROLE portal_owner")
            connection.execute("DROP ROLE portal_sign_in")
        psql = next(folder / "psql" for folder in postgres_folders(os.environ) if (folder / "psql").is_file())
        environ = {"PATH": os.environ["PATH"], **containers.services()["db"]["environment"]}
        options = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", str(REPOSITORY / "config" / "roles.sql")]
        subprocess.run([psql, self.postgres.superuser_url, *options], env=environ, check=True)

    def start_queue(self) -> None:
        """Run the queue's own command; only its port and folder are this test's."""
        programs = self.folder / "programs"
        programs.mkdir()
        (programs / "redis-server").symlink_to(valkey_program(ServerUser.for_current_process(), self.folder))
        *shell, script = containers.services()["queue"]["command"]
        own_lines = f"port {self.queue_port}\nbind 127.0.0.1\ndir {programs}\nrequirepass"
        assert "requirepass" in script
        environ = {"PATH": f"{programs}:{os.environ['PATH']}", **containers.services()["queue"]["environment"]}
        self.start([*shell, script.replace("requirepass", own_lines)], environ, "queue")
        assert wait_until(lambda: answers(self.queue_port, PASSWORDS["REDIS_PASSWORD"]))

    def environ(self, service: str) -> dict[str, str]:
        """The environment of a service, with this machine's addresses and folders in place of the containers'."""
        database = self.postgres.superuser_url.partition("@")[2].partition("/")[0]
        environment: dict[str, str] = containers.services()[service]["environment"]
        moved = {name: value.replace("@db:5432", f"@{database}") for name, value in environment.items()}
        moved["REDIS_URL"] = moved["REDIS_URL"].replace("queue:6379", f"127.0.0.1:{self.queue_port}")
        if service == "web":
            moved |= {"PORTAL_PORT": str(self.web_port), "PORTAL_HOST": "127.0.0.1"}
            moved |= {"PORTAL_METRICS_PORT": str(free_port()), "PORTAL_METRICS_HOST": "127.0.0.1"}
        image = dict(word.split("=", 1) for word in containers.stages()["portal"].last("ENV").split())
        machine = {"PYTHONPATH": str(self.image), "PATH": os.environ["PATH"], "HOME": str(self.folder / "home")}
        return {**image, **moved, **machine, "PORTAL_DATA_DIR": str(self.folder / f"data-{service}")}

    def command(self, service: str) -> list[str]:
        """The command of a service, with this machine's Python."""
        return [sys.executable, *containers.command_of(service)[1:]]

    def start(self, command: list[str], environ: dict[str, str], name: str) -> subprocess.Popen[bytes]:
        """Start a process in the image's folder."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=self.image, env=environ, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_service(self, service: str) -> subprocess.Popen[bytes]:
        """Start a service of the portal's own image."""
        return self.start(self.command(service), self.environ(service), service)

    def migrate(self) -> int:
        """Run the service that migrates to its end: its status."""
        return self.start_service("migrate").wait(120)

    def is_healthy(self) -> bool:
        """Does the healthcheck of web pass?"""
        _, _, *arguments = containers.services()["web"]["healthcheck"]["test"]
        command = [sys.executable, *(word.replace(":8000/", f":{self.web_port}/") for word in arguments)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def log_of(self, name: str) -> str:
        """What a service has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        """Stop everything, the last started first."""
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        self.postgres.stop()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """The database and the queue, with nothing migrated yet."""
    with temporary_data_folder() as folder:
        started = Installation(folder)
        yield started
        started.close()


@pytest.fixture(scope="module")
def serving(installation: Installation) -> Installation:
    """The installation with a migrated database and a web server."""
    installation.start_service("web")
    assert wait_until(lambda: _answers(installation)), installation.log_of("web")
    assert not installation.is_healthy(), "It is healthy before anything is migrated."
    assert installation.migrate() == 0, installation.log_of("migrate")
    assert wait_until(installation.is_healthy), installation.log_of("web")
    return installation


def _answers(installation: Installation) -> bool:
    """Does the web server answer at all?"""
    probe = f"from urllib.request import urlopen; urlopen('http://127.0.0.1:{installation.web_port}/livez', timeout=4)"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


def test_web_is_healthy_once_the_database_is_migrated_and_a_second_migration_finds_nothing(serving: Installation) -> None:
    assert serving.migrate() == 0, serving.log_of("migrate")
    assert serving.is_healthy()


def test_a_worker_works_and_ends_when_it_is_asked_to(serving: Installation) -> None:
    worker = serving.start_service("worker")
    queue = Redis.from_url(serving.environ("worker")["REDIS_URL"])
    assert wait_until(lambda: queue.scard("rq:workers") == 1), serving.log_of("worker")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    queue.close()


def test_the_queue_wants_its_password_and_refuses_rather_than_forget(serving: Installation) -> None:
    assert not answers(serving.queue_port, "another")
    queue = Redis.from_url(serving.environ("worker")["REDIS_URL"])
    for name, value in (("maxmemory-policy", "noeviction"), ("save", ""), ("appendonly", "no")):
        assert queue.config_get(name) == {name: value} or queue.config_get(name) == {name.encode(): value.encode()}
    queue.close()


def test_nothing_is_written_where_a_container_could_not_write(serving: Installation) -> None:
    assert serving.files() == serving.files_at_start
    folders = {path.name for path in serving.folder.iterdir()}
    assert "data-web" in folders
    assert folders.isdisjoint({"home", "data-worker", "data-migrate"})


def test_the_portal_cannot_sign_in_as_the_owner(serving: Installation) -> None:
    address = serving.environ("web")["DATABASE_URL"]
    with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.mine ()")
    guessed = address.replace("portal_app:", "portal_owner:")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(guessed)
    assert Settings.from_environment(serving.environ("web")).database_owner_url == ""


def changed_nginx_conf() -> str:
    """The shipped nginx.conf as the proxy's image changes it."""
    scripts = [word for script in containers.sed_scripts() for word in ("-e", script)]
    return subprocess.run(
        ["sed", *scripts, str(REPOSITORY / "config" / "nginx.conf")],  # noqa: S607  whichever sed this machine has
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_proxys_image_changes_these_lines_and_no_other() -> None:
    shipped, changed = SHIPPED.splitlines(), changed_nginx_conf().splitlines()
    assert set(shipped) - set(changed) == {
        "user www-data;",
        "    server_tokens off;",
        "        least_conn;",
        "        server 127.0.0.1:8000 max_fails=2 fail_timeout=5s;",
        "        listen 80 default_server;",
        "        listen [::]:80 default_server;",
        "        listen 443 ssl default_server;",
        "        listen [::]:443 ssl default_server;",
    }
    assert len(shipped) - len(changed) == 1


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_changed_nginx_conf_serves_the_portal(serving: Installation) -> None:
    text = changed_nginx_conf().replace("server web:8000 resolve ", "server 127.0.0.1:8000 ")
    assert re.search(r"zone web 64k; least_conn;", text)
    with temporary_data_folder() as folder:
        proxy = Proxy(folder, serving.web_port, text)
        started = proxy.run("-g", "daemon on;")
        assert started.returncode == 0, started.stderr
        status, headers, _ = proxy.get("/livez")
        proxy.run("-s", "stop")
    assert (status, headers["Server"]) == (200, "nginx")
