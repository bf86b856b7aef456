"""The columns of published files: which layout a file has, and what its columns mean.

The names are in `columns.toml`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from portal.benchmarks.domain.figures import ACCREDITED, DAILY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Counts of sessions and of pupils: whole numbers. Means over days: fractional. Percentages: kept as published.
COUNTS = ("possible", "attendance", "absence", "present", "approved", "authorised", "unauthorised", "late", "pa_count", "sa_count")
MEANS = ("enrolments", "schools", "schools_in_all")

_NAMES = tomllib.loads(resources.files("portal.benchmarks.domain").joinpath("columns.toml").read_text("utf-8"))

SYMBOLS: Mapping[str, str] = _NAMES["symbols"]
LEVELS: Mapping[str, str] = _NAMES["levels"]
PHASE_BY_PUBLISHED_NAME: Mapping[str, str] = _NAMES["phases"]
#: Columns that divide the pupils or schools: only their totals are benchmarks.
BREAKDOWNS = frozenset(_NAMES["breakdowns"])
TOTAL_WORDS = frozenset(_NAMES["total_words"])

_SHARED_COLUMNS: Mapping[str, str] = _NAMES["columns"]["shared"]
_AUTHORISED_REASON_CODES: Mapping[str, str] = _NAMES["authorised_reasons"]
_UNAUTHORISED_REASON_CODES: Mapping[str, str] = _NAMES["unauthorised_reasons"]

_REASON = re.compile(r"^reason_([a-z]\d?)_")
_ACCREDITED_REASON = re.compile(r"^sess_(auth(?:orised)?|unauth(?:orised)?)_([a-z_]+)$")
_UNUSED = re.compile(
    r"(_perc|_percent|_pct|_rate|_rate_source|_pa_10_exact|_pa_50_exact|_totalreasons|_per_pupil)$|^(country|region)_(code|name)$"
    r"|^(country|region|week_commencing|day_number|total_enrolments|school_type|school_type_key|term_key|term_sort|academic_year_sort"
    r"|geography_name|local_authority_name|sess_[xyqd]_\w+)$"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout of file: its name, its series, its identifying columns, and what its columns mean."""

    name: str
    series: str
    identifying_columns: frozenset[str]
    columns: Mapping[str, str]


LAYOUTS = (
    Layout("daily attendance", DAILY, frozenset({"possible_sessions", "overall_absence"}), _NAMES["columns"]["daily"]),
    Layout("accredited absence", ACCREDITED, frozenset({"sess_possible", "sess_overall"}), _NAMES["columns"]["accredited"]),
    Layout("accredited absence", ACCREDITED, frozenset({"sessions_possible", "geography_key"}), _NAMES["columns"]["reshaped"]),
)


def normalised(header: str) -> str:
    """A column's name for comparison: `SessionsPossible` and `Sessions possible` become `sessions_possible`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip())
    return re.sub(r"[\s_]+", "_", spaced).lower()


def layout_of(headers: Iterable[str]) -> Layout | None:
    """The layout of a file with these columns (as `normalised` gives them), or None."""
    columns = frozenset(headers)
    return next((layout for layout in LAYOUTS if layout.identifying_columns <= columns), None)


def meanings(layout: Layout, headers: Sequence[str]) -> dict[str, str]:
    """Column of the file → what it is called here, for the columns that are used."""
    names = {}
    for header in headers:
        name = _SHARED_COLUMNS.get(header) or layout.columns.get(header) or _code_column(layout, header)
        if name:
            names[header] = name
    # The phase stood in school_type before education_phase came. A file with both means something else by school_type.
    if "phase" not in names.values() and "school_type" in headers:
        names["school_type"] = "phase"
    return names


def unknown_columns(layout: Layout, headers: Sequence[str]) -> tuple[str, ...]:
    """The columns this layout is not known to have. They are not loaded, and are reported."""
    used = meanings(layout, headers)
    return tuple(
        header for header in headers if header and header not in used and header not in BREAKDOWNS and not _UNUSED.search(header)
    )


def _code_column(layout: Layout, header: str) -> str | None:
    """The name here of a column of sessions with one register code, or None."""
    if layout.series == DAILY:
        match = _REASON.match(header)
        return f"code {match[1].upper()}" if match else None
    match = _ACCREDITED_REASON.match(header)
    if not match:
        return None
    code = (_UNAUTHORISED_REASON_CODES if match[1].startswith("un") else _AUTHORISED_REASON_CODES).get(match[2])
    return f"code {code}" if code else None
