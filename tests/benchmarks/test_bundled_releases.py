"""The bundled files: listed, attributed, small, and identified by their hashes."""

from __future__ import annotations

import gzip
import hashlib
from importlib import resources

from portal.benchmarks.domain import geography
from portal.benchmarks.domain.bundled_releases import bundled_releases
from portal.benchmarks.domain.figures import ATTRIBUTION

FOLDER = resources.files("portal.benchmarks.domain").joinpath("bundled")


def test_the_files_and_the_list_agree() -> None:
    """The readme, the list and the files agree."""
    readme = FOLDER.joinpath("README.md").read_text("utf-8")
    names = {file.name for file in FOLDER.iterdir() if file.name.endswith(".gz")}
    assert names == {release.file for release in bundled_releases()}
    for release in bundled_releases():
        assert hashlib.sha256(gzip.decompress(release.content())).hexdigest() == release.sha256
        assert all(words in readme for words in (release.file, release.sha256, release.original_name))


def test_the_readme_has_the_attribution() -> None:
    """The Open Government Licence asks for it."""
    assert ATTRIBUTION in FOLDER.joinpath("README.md").read_text("utf-8")


def test_the_bundled_files_are_small() -> None:
    """Under three megabytes in all."""
    assert sum(len(file.read_bytes()) for file in FOLDER.iterdir() if file.is_file()) < 3_000_000


def test_every_code_has_three_digits() -> None:
    """The two missing codes of 2025 are filled in, and no z is left."""
    codes = geography.codes_by_gss()
    assert (codes["E08000038"], codes["E08000016"]) == ("370", "370")
    assert (codes["E08000039"], codes["E08000019"]) == ("373", "373")
    assert all(len(code) == 3 and code.isdecimal() for code in codes.values())
    assert geography.names()["383"] == "Leeds"
    assert len(geography.REGIONS) == 9
