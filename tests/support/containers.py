"""Reads the Dockerfile and compose.yaml the way a container engine does, as far as the tests need it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from config.revision import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPOSE_TEXT = (REPOSITORY / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE_TEXT = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
NGINX_TEXT = (REPOSITORY / "config" / "nginx.conf").read_text(encoding="utf-8")

#: `$$`, `${NAME:?message}` or `${NAME:-default}`: the only forms compose.yaml uses, as a test holds.
REFERENCE = re.compile(r"\$\$|\$\{(?P<name>[A-Z_]+):(?P<kind>[?-])(?P<text>[^}]*)\}")

#: A value for each variable that must be set.
EXAMPLE_ENVIRONMENT = {
    "DATABASE_SUPERUSER_PASSWORD": "superuserspassword",
    "DATABASE_OWNER_PASSWORD": "ownerspassword",
    "DATABASE_APP_PASSWORD": "appspassword",
    "REDIS_PASSWORD": "queuespassword",
    "PORTAL_SECRET_KEY": "a-key-made-for-this-test-only-0123456789",
    "PORTAL_PUBLIC_URL": "https://attendance.example.gov.uk",
    "PORTAL_CERTIFICATE": "/etc/portal/certificate.pem",
    "PORTAL_CERTIFICATE_KEY": "/etc/portal/key.pem",
}


class MissingVariableError(Exception):
    """A variable that must be set is not: the message is the one compose shows."""


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Replace every reference to a variable, as compose does."""

    def value(reference: re.Match[str]) -> str:
        name = reference["name"]
        if name is None:
            return "$"
        if not environ.get(name) and reference["kind"] == "?":
            raise MissingVariableError(f"{name}: {reference['text']}")
        return environ.get(name) or reference["text"]

    return REFERENCE.sub(value, text)


def compose(environ: Mapping[str, str] = EXAMPLE_ENVIRONMENT) -> dict[str, Any]:
    """The whole of compose.yaml with this environment."""
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(interpolate(COMPOSE_TEXT, environ))
    return document


def services() -> dict[str, Any]:
    """The services of compose.yaml: name → what it says of the service."""
    every_service: dict[str, Any] = compose()["services"]
    return every_service


@dataclass(frozen=True)
class Stage:
    """One stage of the Dockerfile."""

    image: str
    #: Instruction and its text, in the order they stand.
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        """The texts of every instruction of this kind."""
        return [text for name, text in self.instructions if name == instruction]

    def last(self, instruction: str) -> str:
        """The text of the last instruction of this kind: the one that counts."""
        return self.all(instruction)[-1]

    @property
    def copied(self) -> list[tuple[str, str]]:
        """What is copied from the repository, and to where."""
        copies = [text.split() for text in self.all("COPY") if not text.startswith("--from")]
        return [(source, target) for source, target in copies]

    @property
    def program(self) -> list[str]:
        """The entry point, without the command that follows it."""
        words: list[str] = json.loads(self.last("ENTRYPOINT"))
        return words


def stages() -> dict[str, Stage]:
    """The stages of the Dockerfile, by name."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE_TEXT, flags=re.MULTILINE))
    texts: dict[str, tuple[str, list[tuple[str, str]]]] = {}
    current: list[tuple[str, str]] = []
    for line in joined.splitlines():
        instruction, _, text = line.partition(" ")
        if instruction == "FROM":
            image, _, name = text.partition(" AS ")
            current = []
            texts[name] = (image, current)
        elif instruction:
            current.append((instruction, text))
    return {name: Stage(image, tuple(instructions)) for name, (image, instructions) in texts.items()}


def command_of(service: str) -> list[str]:
    """What a service of the portal's image runs: the entry point, then its command or the image's."""
    stage = stages()["portal"]
    words: list[str] = services()[service].get("command") or json.loads(stage.last("CMD"))
    return [*stage.program, *words]


def sed_scripts() -> list[str]:
    """The changes that the proxy's image makes to the shipped nginx.conf."""
    words = shlex.split(stages()["proxy"].last("RUN"))
    return [words[number + 1] for number, word in enumerate(words) if word == "-e"]
