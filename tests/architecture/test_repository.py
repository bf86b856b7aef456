"""What no committed file may contain: addresses of package registries, paths of one machine, and home folders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture import sources

if TYPE_CHECKING:
    from pathlib import Path

#: Put together from parts, so that this file does not contain what it looks for.
HOSTS = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"))
)
FOLDERS = tuple("/" + "/".join(parts) for parts in (("work", "main"), ("work", "shared"), ("root", ""), ("Users", "")))
HOMES = re.compile("/" + r"home/(?!\{|<|portal\b)[a-z]")
OUTSIDE_FOLDER = ".." + "/shared"
URL = re.compile(r"[a-z+]+:" + "//", re.IGNORECASE)
LOCKS = re.compile(r"^(?:requirements[^/]*\.txt|pyproject\.toml|package[^/]*\.json|.*\.lock|pylock[^/]*\.toml)$")
PACKAGE_LINES = re.compile(r"^\s*(?:-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", re.MULTILINE)
#: Kinds of lock that hold an address in every entry.
LOCKS_WITH_ADDRESSES = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "package-lock.json", "yarn.lock"}
BINARY = {".woff", ".woff2", ".ttf", ".otf", ".png", ".ico", ".jpg", ".xlsx", ".pdf", ".gz", ".br", ".zip", ".jar"}


def faults(name: str, text: str) -> list[str]:
    """What a file contains that it may not."""
    faults_found = [f"{name}: names the registry {host}" for host in HOSTS if host in text]
    faults_found += [f"{name}: a path of one machine, {folder}" for folder in FOLDERS if folder in text]
    faults_found += [f"{name}: somebody's home folder"] * bool(HOMES.search(text))
    faults_found += [f"{name}: a folder outside the repository"] * (OUTSIDE_FOLDER in text)
    file_name = name.rsplit("/", 1)[-1]
    if LOCKS.match(file_name):
        faults_found += [f"{name}: an address among the packages"] * bool(URL.search(text) or PACKAGE_LINES.search(text))
    return faults_found + [f"{name}: a lock that holds addresses"] * (file_name in LOCKS_WITH_ADDRESSES)


def text_of(path: Path) -> str:
    """A file's text; empty for a picture or a font."""
    return "" if path.suffix in BINARY else path.read_bytes().decode("utf-8", errors="replace")


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    all_faults = [fault for path in sources.repository_files() for fault in faults(sources.relative_name(path), text_of(path))]
    assert all_faults == []


def test_every_requirement_is_locked_by_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (sources.ROOT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[a-zA-Z0-9_.\[\]-]+==", text, re.MULTILINE)
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)


def test_no_file_is_larger_than_1_5_mb() -> None:
    large = {
        sources.relative_name(path): path.stat().st_size for path in sources.repository_files() if path.stat().st_size > 1_500_000
    }
    assert large == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "flask @ " + "https:" + "//example.org/flask.whl"),
        ("requirements.txt", "--index" + "-url somewhere"),
        ("pyproject.toml", 'url = "' + "git+https:" + '//example.org"'),
        ("docs/one.md", "see " + HOSTS[0]),
        ("docs/one.md", "see " + FOLDERS[0]),
        ("docs/one.md", "see " + "/" + "home/alex/portal"),
        ("docs/one.md", "see " + OUTSIDE_FOLDER + "/house.md"),
        ("uv.lock", ""),
    ],
)
def test_a_planted_file_is_found(name: str, text: str) -> None:
    assert faults(name, text)


def test_an_ordinary_file_passes() -> None:
    assert faults("docs/one.md", "See https:" + "//www.gov.uk and /var/lib/portal.") == []
