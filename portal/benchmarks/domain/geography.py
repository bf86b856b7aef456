"""Places in published figures: England, its regions and its authorities, by their three-digit codes.

The nine-character codes change now and then; the three digits do not.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from portal.tabular.csv_rows import records

if TYPE_CHECKING:
    from collections.abc import Mapping

REGIONS: Mapping[str, str] = {
    "E12000001": "North East",
    "E12000002": "North West",
    "E12000003": "Yorkshire and The Humber",
    "E12000004": "East Midlands",
    "E12000005": "West Midlands",
    "E12000006": "East of England",
    "E12000007": "London",
    "E12000008": "South East",
    "E12000009": "South West",
}

#: The table of codes has z for these two, whose nine-character codes changed in 2025.
_MISSING_CODES: Mapping[str, str] = {"E08000038": "370", "E08000039": "373"}


@cache
def codes_by_gss() -> Mapping[str, str]:
    """Nine-character code → three-digit code, for every code an authority has had since 2017."""
    return {gss: code for gss, code, _name in _rows()}


@cache
def names() -> Mapping[str, str]:
    """Three-digit code → the authority's name."""
    return {code: name for _gss, code, name in reversed(_rows())}


def _rows() -> list[tuple[str, str, str]]:
    content = resources.files("portal.benchmarks.domain").joinpath("bundled", "la_codes.csv").read_bytes()
    return [
        (row["new_la_code"], _MISSING_CODES.get(row["new_la_code"], row["old_la_code"]), row["la_name"]) for row in records(content)
    ]
