"""What is in the box: listed, attributed, small, and known by its hash."""

from __future__ import annotations

import gzip
import hashlib
from importlib import resources

from portal.benchmarks.domain import geography
from portal.benchmarks.domain.bundled_releases import bundled_releases
from portal.benchmarks.domain.figures import ATTRIBUTION

BOX = resources.files("portal.benchmarks").joinpath("shipped")


def test_every_file_is_listed_with_its_hash_and_every_listed_file_is_there() -> None:
    """The readme, the list and the files agree."""
    readme = BOX.joinpath("README.md").read_text("utf-8")
    there = {one.name for one in BOX.iterdir() if one.name.endswith(".gz")}
    assert there == {one.file for one in bundled_releases()}
    for one in bundled_releases():
        assert hashlib.sha256(gzip.decompress(one.content())).hexdigest() == one.sha256
        assert all(words in readme for words in (one.file, one.sha256, one.original_name))


def test_the_attribution_stands_in_the_box() -> None:
    """As the Open Government Licence asks."""
    assert ATTRIBUTION in BOX.joinpath("README.md").read_text("utf-8")


def test_the_box_is_small() -> None:
    """Under three megabytes in all."""
    assert sum(len(one.read_bytes()) for one in BOX.iterdir() if one.is_file()) < 3_000_000


def test_codes_lead_to_three_digits() -> None:
    """The two codes of 2025 are filled in, and no z is left."""
    codes = geography.codes_by_gss()
    assert (codes["E08000038"], codes["E08000016"]) == ("370", "370")
    assert (codes["E08000039"], codes["E08000019"]) == ("373", "373")
    assert all(len(code) == 3 and code.isdecimal() for code in codes.values())
    assert geography.names()["383"] == "Leeds"
    assert len(geography.REGIONS) == 9
