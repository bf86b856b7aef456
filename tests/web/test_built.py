"""The committed styles and scripts are what their sources build."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import plotly.offline
import pytest

from portal.web.assets import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

STYLES = FOLDER.parent / "styles"
BUILT = ("plotly-basic.min.js", "portal.css", "portal.js")
#: Files in the folder of sources that nothing is built from.
NOT_SOURCES = {"README.md", "built.sha256"}
OUT_OF_REACH = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network")


def recorded_digests(text: str) -> dict[str, str]:
    """The digest of each file in a list that sha256sum wrote."""
    return {name: digest for digest, name in (line.split("  ", 1) for line in text.splitlines())}


def current_digests(styles: Path) -> dict[str, str]:
    """The digest of each source and each built file as they are now."""
    sources = [path.name for path in styles.iterdir() if path.name not in NOT_SOURCES]
    names = [*sources, *(f"../static/{name}" for name in BUILT)]
    return {name: hashlib.sha256((styles / name).read_bytes()).hexdigest() for name in names}


def test_no_source_was_edited_without_building() -> None:
    recorded = recorded_digests((STYLES / "built.sha256").read_text(encoding="utf-8"))
    assert recorded == current_digests(STYLES), "Run sh portal/web/styles/build.sh and commit what it writes."


@pytest.mark.parametrize("name", ["styles/_frame.scss", "static/portal.css"])
def test_an_edited_file_is_found(tmp_path: Path, name: str) -> None:
    shutil.copytree(STYLES, tmp_path / "styles")
    shutil.copytree(FOLDER, tmp_path / "static")
    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    recorded = recorded_digests((STYLES / "built.sha256").read_text(encoding="utf-8"))
    assert recorded != current_digests(tmp_path / "styles")


def test_every_npm_package_is_locked_by_hash() -> None:
    packages = json.loads((STYLES / "packages.lock").read_text(encoding="utf-8"))["packages"]
    root = packages.pop("")
    assert root["dependencies"] == json.loads((STYLES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []


def test_plotly_in_the_browser_is_the_version_that_python_writes_for() -> None:
    packages = json.loads((STYLES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert packages["plotly.js-basic-dist-min"] == plotly.offline.get_plotlyjs_version()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed, so the styles were not built again")
def test_the_sources_build_the_committed_files(tmp_path: Path) -> None:
    environ = {**os.environ, "npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "60000"}
    build = subprocess.run(
        ["sh", STYLES / "build.sh", tmp_path],  # noqa: S607  whichever shell this machine has
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if build.returncode and OUT_OF_REACH.search(build.stderr):
        pytest.skip("npm cannot reach a registry, so the styles were not built again")
    assert build.returncode == 0, build.stderr
    for name in BUILT:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), f"{name} is not what its sources build"
