"""What no committed file may hold: where packages come from, where somebody's machine keeps things, and other people's folders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture import sources

if TYPE_CHECKING:
    from pathlib import Path

#: The needles are put together here, so that this file does not hold them.
HOSTS = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"))
)
FOLDERS = tuple("/" + "/".join(parts) for parts in (("work", "main"), ("work", "shared"), ("root", ""), ("Users", "")))
HOMES = re.compile("/" + r"home/(?!\{|<|portal\b)[a-z]")
OUTSIDE = ".." + "/shared"
URL = re.compile(r"[a-z+]+:" + "//", re.IGNORECASE)
LOCKS = re.compile(r"^(?:requirements[^/]*\.txt|pyproject\.toml|package[^/]*\.json|.*\.lock|pylock[^/]*\.toml)$")
PACKAGE_LINES = re.compile(r"^\s*(?:-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", re.MULTILINE)
#: Kinds of lock that hold an address in every entry.
REFUSED = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "package-lock.json", "yarn.lock"}
BINARY = {".woff", ".woff2", ".ttf", ".otf", ".png", ".ico", ".jpg", ".xlsx", ".pdf", ".gz", ".br", ".zip", ".jar"}


def faults(name: str, text: str) -> list[str]:
    """What a file holds that it may not."""
    found = [f"{name}: names the registry {host}" for host in HOSTS if host in text]
    found += [f"{name}: a path of one machine, {folder}" for folder in FOLDERS if folder in text]
    found += [f"{name}: somebody's home folder"] * bool(HOMES.search(text))
    found += [f"{name}: a folder outside the repository"] * (OUTSIDE in text)
    last = name.rsplit("/", 1)[-1]
    if LOCKS.match(last):
        found += [f"{name}: an address among the packages"] * bool(URL.search(text) or PACKAGE_LINES.search(text))
    return found + [f"{name}: a lock that holds addresses"] * (last in REFUSED)


def text_of(path: Path) -> str:
    """A file as text; a picture or a font has none."""
    return "" if path.suffix in BINARY else path.read_bytes().decode("utf-8", errors="replace")


def test_no_file_says_where_things_come_from_or_lie() -> None:
    found = [fault for path in sources.ours() for fault in faults(sources.name_of(path), text_of(path))]
    assert found == []


def test_every_requirement_is_locked_by_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (sources.ROOT / name).read_text(encoding="utf-8")
        pinned = re.findall(r"^[a-zA-Z0-9_.\[\]-]+==", text, re.MULTILINE)
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)


def test_no_file_is_larger_than_it_must_be() -> None:
    large = {sources.name_of(path): path.stat().st_size for path in sources.ours() if path.stat().st_size > 1_500_000}
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
        ("docs/one.md", "see " + OUTSIDE + "/house.md"),
        ("uv.lock", ""),
    ],
)
def test_a_planted_file_is_found(name: str, text: str) -> None:
    assert faults(name, text)


def test_an_ordinary_file_passes() -> None:
    assert faults("docs/one.md", "See https:" + "//www.gov.uk and /var/lib/portal.") == []
