"""The Dockerfile and compose.yaml agree with the settings, with gunicorn, nginx and the guide; their linters find faults."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from config.settings import Settings
from local.postgres import APP, OWNER
from tests.architecture import containers as check
from tests.architecture import sources
from tests.support import containers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUIDE = (sources.ROOT / "docs" / "production.md").read_text(encoding="utf-8")
SECTION = GUIDE.partition("## 10. With containers")[2].partition("\n## ")[0]
#: The services that run the portal's own image.
PORTAL_SERVICES = ("web", "worker", "migrate")
KNOWN_SETTINGS = {field.metadata["name"] for field in Settings.__dataclass_fields__.values()}
WEB_SETTINGS = Settings.from_environment(containers.services()["web"]["environment"])


def references() -> Iterator[re.Match[str]]:
    """Every reference to a variable in compose.yaml."""
    return (match for match in containers.REFERENCE.finditer(containers.COMPOSE_TEXT) if match["name"])


# The linters.


def test_the_linters_accept_both_files() -> None:
    assert check.lint(sources.ROOT) == {}


@pytest.mark.parametrize(
    ("name", "text", "fault", "expected"),
    [
        ("Dockerfile", "FROM nginx:1.30 AS", "FROM nginx AS", "DL3006"),
        ("Dockerfile", "USER 101:101", "USER root", "DL3002"),
        ("Dockerfile", "WORKDIR /opt", "WORKDIR opt", "DL3000"),
        ("Dockerfile", "ENTRYPOINT [", "ENTRYPOINT {", ""),
        ("compose.yaml", "read_only: true", "readonly: true", "readonly"),
        ("compose.yaml", "condition: service_healthy", "condition: healthy", "healthy"),
    ],
)
def test_the_linters_refuse_a_planted_fault(name: str, text: str, fault: str, expected: str, tmp_path: Path) -> None:
    for file_name in ("Dockerfile", "compose.yaml"):
        shutil.copy(sources.ROOT / file_name, tmp_path / file_name)
    planted = tmp_path / name
    assert text in planted.read_text(encoding="utf-8")
    planted.write_text(planted.read_text(encoding="utf-8").replace(text, fault), encoding="utf-8")
    refusals = check.lint(tmp_path)
    assert list(refusals) == [name]
    assert expected in refusals[name]


# Settings and secrets.


@pytest.mark.parametrize("service", PORTAL_SERVICES)
def test_every_setting_that_a_container_is_given_is_known_and_accepted(service: str) -> None:
    environment = containers.services()[service]["environment"]
    assert set(environment) <= KNOWN_SETTINGS
    settings = Settings.from_environment(environment)
    assert settings.production
    assert settings.secure_cookies
    assert not settings.demo


def test_only_migrations_are_told_the_owners_password() -> None:
    password = containers.EXAMPLE_ENVIRONMENT["DATABASE_OWNER_PASSWORD"]
    receivers = {name for name, service in containers.services().items() if password in json.dumps(service)}
    assert receivers == {"migrate", "db"}
    for name in PORTAL_SERVICES:
        environment = containers.services()[name]["environment"]
        assert environment["DATABASE_URL"].startswith(f"postgresql://{APP}:")
    assert containers.services()["migrate"]["environment"]["DATABASE_OWNER_URL"].startswith(f"postgresql://{OWNER}:")


@pytest.mark.parametrize("name", containers.EXAMPLE_ENVIRONMENT)
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    environ = {**containers.EXAMPLE_ENVIRONMENT, name: ""}
    with pytest.raises(containers.MissingVariableError, match=f"^{name}: Set {name} to "):
        containers.compose(environ)


def test_no_secret_stands_in_a_file_and_none_has_a_default() -> None:
    assert "$" not in containers.REFERENCE.sub("", containers.COMPOSE_TEXT)
    with_default = {match["name"] for match in references() if match["kind"] == "-"}
    assert with_default <= KNOWN_SETTINGS
    # Without a mail server its password is empty, and old keys are there only while the key changes.
    secret = {name for name in with_default if re.search("PASSWORD|SECRET|KEY", name)}
    assert secret == {"PORTAL_SMTP_PASSWORD", "PORTAL_OLD_SECRET_KEYS"}
    for value in passwords_written_out(containers.COMPOSE_TEXT):
        pytest.fail(f"compose.yaml holds a password: {value}")


def passwords_written_out(text: str) -> list[str]:
    """Passwords in addresses, or as values of secrets, that are not references to variables."""
    return re.findall(r"//[^:/\s]*:(?!\$\{)[^@\s\"]+@|^\s*\w*(?:PASSWORD|SECRET_KEY|AUTH): *(?!\"\$\{)\S+", text, re.MULTILINE)


@pytest.mark.parametrize("line", ['REDIS_URL: "redis://:abc123@queue:6379/0"', "  POSTGRES_PASSWORD: abc123", "REDISCLI_AUTH: abc"])
def test_a_planted_password_is_found(line: str) -> None:
    assert passwords_written_out(line)


def test_the_guide_shows_exactly_the_variables_that_must_be_set() -> None:
    block = re.search(r"^```sh\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
    assert block is not None
    guide_settings = dict(line.split("=", 1) for line in block[1].splitlines())
    required = {match["name"] for match in references() if match["kind"] == "?"}
    assert set(guide_settings) == required == set(containers.EXAMPLE_ENVIRONMENT)
    optional = {match["name"] for match in references() if match["kind"] == "-"}
    assert set(re.findall(r"`(PORTAL_[A-Z_]+)`", SECTION)) == optional
    own = {name: value.replace("CHANGE", "one-of-my-own") for name, value in guide_settings.items()}
    assert Settings.from_environment(containers.compose(own)["services"]["web"]["environment"]).production


# Ports, paths and times.


def test_nginx_finds_what_compose_gives_it() -> None:
    proxy, web = containers.services()["proxy"], containers.services()["web"]["environment"]
    listens = set(re.findall(r"listen (\d+)", containers.NGINX_TEXT))
    assert {port.partition(":")[2] for port in proxy["ports"]} == listens
    certificates = re.findall(r"ssl_certificate(?:_key)? (\S+);", containers.NGINX_TEXT)
    assert [secret["target"] for secret in proxy["secrets"]] == certificates
    assert f"server web:{web['PORTAL_PORT']} resolve " in " ".join(containers.sed_scripts())
    assert web["PORTAL_TRUSTED_PROXIES"] == "1"
    pid = re.search(r"pid (\S+)/[^/]+;", containers.NGINX_TEXT)
    assert pid is not None
    assert proxy["tmpfs"] == [f"{pid[1]}:mode=1777"]


def test_gunicorn_listens_where_compose_looks_for_it() -> None:
    web = containers.services()["web"]
    assert (WEB_SETTINGS.host, WEB_SETTINGS.metrics_host) == ("0.0.0.0", "0.0.0.0")  # noqa: S104  inside its own container
    assert f"http://127.0.0.1:{WEB_SETTINGS.port}/readyz" in web["healthcheck"]["test"][-1]
    assert web["ports"] == [f"127.0.0.1:{WEB_SETTINGS.metrics_port}:{WEB_SETTINGS.metrics_port}"]
    assert f"web-data:{WEB_SETTINGS.data_dir}" in web["volumes"]
    makers = [text for text in containers.stages()["portal"].all("RUN") if f"--mode 0700 {WEB_SETTINGS.data_dir}" in text]
    assert len(makers) == 1


def test_the_image_runs_what_the_guide_runs() -> None:
    command = re.search(r"^ExecStart=(.*gunicorn.*)$", GUIDE, re.MULTILINE)
    worker = re.search(r"^ExecStart=(.*workers\.run)$", GUIDE, re.MULTILINE)
    assert command is not None
    assert worker is not None
    assert " ".join(containers.command_of("web")) == command[1]
    assert " ".join(containers.command_of("worker")) == worker[1]
    folder = containers.stages()["portal"].last("WORKDIR")
    assert f"WorkingDirectory={folder}\n" in GUIDE
    assert f"PYTHONPATH={folder}" in containers.stages()["portal"].last("ENV").split()


def test_a_container_is_given_as_long_to_stop_as_the_guides_units() -> None:
    units = [int(number) for number in re.findall(r"^TimeoutStopSec=(\d+)$", GUIDE, re.MULTILINE)]
    assert [seconds(containers.services()[name]["stop_grace_period"]) for name in ("web", "worker")] == units
    graceful = re.search(r"^graceful_timeout = (\d+)$", (sources.ROOT / "config" / "gunicorn.py").read_text(), re.MULTILINE)
    assert graceful is not None
    assert units[0] > int(graceful[1])


def seconds(duration: str) -> int:
    """A duration of compose's in seconds."""
    return int(duration.removesuffix("s"))


def test_the_guides_roles_are_the_ones_that_are_made() -> None:
    block = re.search(r"^```sql\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    script = (sources.ROOT / "config" / "roles.sql").read_text(encoding="utf-8")
    assert block is not None
    statements = "".join(line for line in script.splitlines(keepends=True) if line[:2] not in {"--", "\\g"}).strip()
    guide_sql = block[1].replace("'CHANGE-the-owners-password'", ":'owners_password'")
    assert statements == guide_sql.replace("'CHANGE-the-apps-password'", ":'apps_password'").strip()


# What contains them.


@pytest.mark.parametrize("name", containers.services())
def test_every_container_is_shut_in(name: str) -> None:
    service = containers.services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    stage = containers.stages().get(service.get("build", {}).get("target", ""))
    user = stage.last("USER") if stage else service["user"]
    assert user.partition(":")[0] not in {"", "0", "root"}


def test_only_the_proxy_is_published() -> None:
    published = {name: service["ports"] for name, service in containers.services().items() if "ports" in service}
    assert set(published) == {"proxy", "web"}
    assert all(port.startswith("127.0.0.1:") for port in published["web"])
    assert containers.compose()["networks"]["inside"] == {"internal": True}
    for name in ("db", "queue", "migrate"):
        assert containers.services()[name]["networks"] == ["inside"]


def test_every_volume_has_a_name() -> None:
    mounted = {volume.partition(":")[0] for service in containers.services().values() for volume in service.get("volumes", ())}
    assert {name for name in mounted if not name.startswith("./")} == set(containers.compose()["volumes"])
    assert all((sources.ROOT / name).is_file() for name in mounted if name.startswith("./"))


def images() -> list[str]:
    """Every image that is named, with a tag or without."""
    devcontainer = json.loads((sources.ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    service_images = [service["image"] for service in containers.services().values()]
    return [*service_images, *(stage.image for stage in containers.stages().values()), devcontainer["image"]]


def image_faults(image: str) -> list[str]:
    """Why an image's name may not stand in a file."""
    name, _, tag = image.rpartition(":")
    faults = [f"{image}: names a registry"] * ("/" in image)
    return faults + [f"{image}: has no tag that stays"] * (not name or tag == "latest")


def test_images_are_official_ones_and_have_a_tag() -> None:
    assert [fault for image in images() for fault in image_faults(image)] == []


@pytest.mark.parametrize("image", ["nginx", "nginx:latest", "images.example.org/nginx:1.30", "localhost:5000/nginx"])
def test_a_planted_image_is_found(image: str) -> None:
    assert image_faults(image)


def test_the_image_holds_what_the_dockerfile_copies_and_nothing_else() -> None:
    ignored = (sources.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    admitted = {line[1:] for line in ignored if line.startswith("!")}
    copied = {source for stage in containers.stages().values() for source, _ in stage.copied}
    assert {source.partition("/")[0] for source in copied} == admitted
    assert set(sources.PACKAGES) <= copied
    assert ignored[1] == "*"
