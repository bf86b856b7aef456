"""The columns of published files: which shape a file has, what each of its columns is called here, and what is known and unused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.benchmarks.domain.figures import ACCREDITED, AUTHORITY, DAILY, NATIONAL, PRIMARY, REGION, SECONDARY, SPECIAL, TOTAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Counts of sessions and of pupils: whole numbers. Means over days: fractional. Percentages: kept as published.
COUNTS = ("possible", "attendance", "absence", "present", "approved", "authorised", "unauthorised", "late", "pa_count", "sa_count")
MEANS = ("enrolments", "schools", "schools_in_all")

SYMBOLS: Mapping[str, str] = {
    "c": "c", "x": "x", "z": "z", "low": "low",
    ".": "x", "..": "x", ":": "x", "-": "x", "": "x", "na": "x", "n/a": "x", "null": "x",
}  # fmt: skip

LEVELS: Mapping[str, str] = {
    "national": NATIONAL, "country": NATIONAL, "nat": NATIONAL,
    "regional": REGION, "region": REGION, "reg": REGION,
    "local authority": AUTHORITY, "la": AUTHORITY,
}  # fmt: skip

PHASE_WORDS: Mapping[str, str] = {
    "primary": PRIMARY, "state-funded primary": PRIMARY,
    "secondary": SECONDARY, "state-funded secondary": SECONDARY,
    "special": SPECIAL, "state-funded special": SPECIAL,
    "total": TOTAL, "all": TOTAL, "all schools": TOTAL, "all phases": TOTAL,
}  # fmt: skip

#: Columns that divide the pupils or schools: only their totals are benchmarks.
BREAKDOWNS = frozenset({
    "characteristic", "characteristic_group", "breakdown", "breakdown_topic", "sex", "gender", "ethnicity", "ethnicity_major",
    "ethnicity_minor", "fsm", "fsm_eligible", "sen", "sen_status", "sen_provision", "primary_need", "ncyear", "nc_year",
    "year_group",
    "first_language", "school_type", "school_type_group", "establishment_type", "academy_type", "academy_flag", "pupil_age",
})  # fmt: skip
TOTAL_WORDS = frozenset({"total", "all", "all pupils", "all schools", "z", ""})

_PLACE = {
    "time_period": "time_period", "year": "time_period", "academic_year_key": "time_period",
    "time_identifier": "time_identifier", "term": "time_identifier", "term_name": "time_identifier",
    "time_frame": "time_frame", "attendance_date": "on",
    "geographic_level": "level", "level": "level", "geography_key": "key",
    "region_code": "region_code", "new_la_code": "gss", "old_la_code": "la_code", "la_name": "la_name",
    "education_phase": "phase",
}  # fmt: skip

_DAILY = {
    "possible_sessions": "possible", "overall_attendance": "attendance", "overall_absence": "absence",
    "present_sessions": "present", "approved_educational_activity": "approved", "authorised_absence": "authorised",
    "unauthorised_absence": "unauthorised", "late_sessions": "late",
    "enrolments": "enrolments", "num_schools": "schools", "total_num_schools": "schools_in_all",
    "attendance_perc": "rate attendance", "overall_absence_perc": "rate absence",
    "authorised_absence_perc": "rate authorised", "unauthorised_absence_perc": "rate unauthorised",
    "illness_perc": "rate illness", "pa_perc": "rate persistent",
    "reason_present_am": "code /", "reason_present_pm": "code \\", "reason_present": "on time",
    "reason_not_attending_planned_closed": "code #",
}  # fmt: skip

_ACCREDITED = {
    "sess_possible": "possible", "sess_overall": "absence", "sess_authorised": "authorised", "sess_unauthorised": "unauthorised",
    "enrolments": "enrolments", "num_schools": "schools",
    "enrolments_pa_10_exact": "pa_count", "enrolments_pa_50_exact": "sa_count",
    "sess_overall_percent": "rate absence", "sess_authorised_percent": "rate authorised",
    "sess_unauthorised_percent": "rate unauthorised", "enrolments_pa_10_exact_percent": "rate persistent",
    "enrolments_pa_50_exact_percent": "rate severe", "unauthorised_holiday_sessions": "code G",
}  # fmt: skip

_ACCREDITED_REASONS = {
    "illness": "I", "appointments": "M", "religious": "R", "study": "S", "traveller": "T", "holiday": "H", "ext_holiday": "F",
    "excluded": "E", "interview": "J1", "reg_performance": "C1", "temp_reduced_timetable": "C2", "other": "C",
}  # fmt: skip
_UNAUTHORISED_REASONS = {"holiday": "G", "late": "U", "other": "O", "noyet": "N"}

_RESHAPED = {
    "sessions_possible": "possible", "overall_absence_sessions": "absence", "authorised_absence_sessions": "authorised",
    "unauthorised_absence_sessions": "unauthorised", "enrolments": "enrolments", "num_schools": "schools",
    "persistent_absentees": "pa_count", "severe_absentees": "sa_count",
    "overall_absence_pct": "rate absence", "unauthorised_pct": "rate unauthorised",
    "pa_pct": "rate persistent", "sa_pct": "rate severe",
}  # fmt: skip

_REASON = re.compile(r"^reason_([a-z]\d?)_")
_ACCREDITED_REASON = re.compile(r"^sess_(auth(?:orised)?|unauth(?:orised)?)_([a-z_]+)$")
_UNUSED = re.compile(
    r"(_perc|_percent|_pct|_rate|_rate_source|_pa_10_exact|_pa_50_exact|_totalreasons|_per_pupil)$|^(country|region)_(code|name)$"
    r"|^(country|region|week_commencing|day_number|total_enrolments|school_type|school_type_key|term_key|term_sort|academic_year_sort"
    r"|geography_name|local_authority_name|sess_[xyqd]_\w+)$"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One shape of file: its name for people, its series, the columns that tell it, and its columns' names here."""

    name: str
    series: str
    telling: frozenset[str]
    columns: Mapping[str, str]


LAYOUTS = (
    Layout("daily attendance", DAILY, frozenset({"possible_sessions", "overall_absence"}), _DAILY),
    Layout("accredited absence", ACCREDITED, frozenset({"sess_possible", "sess_overall"}), _ACCREDITED),
    Layout("accredited absence", ACCREDITED, frozenset({"sessions_possible", "geography_key"}), _RESHAPED),
)


def plain(header: str) -> str:
    """A column's name as compared: `SessionsPossible`, `Sessions possible` and `sessions_possible` are one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip())
    return re.sub(r"[\s_]+", "_", spaced).lower()


def layout_of(headers: Iterable[str]) -> Layout | None:
    """The shape of a file with these columns (as `plain` gives them), or None."""
    there = frozenset(headers)
    return next((one for one in LAYOUTS if one.telling <= there), None)


def meaning(layout: Layout, headers: Sequence[str]) -> dict[str, str]:
    """Column of the file → what it is called here, for the columns that are used."""
    found = {}
    for header in headers:
        name = _PLACE.get(header) or layout.columns.get(header) or _code_of(layout, header)
        if name:
            found[header] = name
    if "phase" not in found.values() and "school_type" in headers:
        found["school_type"] = "phase"
    return found


def unknown(layout: Layout, headers: Sequence[str]) -> tuple[str, ...]:
    """The columns this shape is not known to have: kept out, and reported."""
    used = meaning(layout, headers)
    return tuple(one for one in headers if one and one not in used and one not in BREAKDOWNS and not _UNUSED.search(one))


def _code_of(layout: Layout, header: str) -> str | None:
    if layout.series == DAILY:
        found = _REASON.match(header)
        return f"code {found[1].upper()}" if found else None
    found = _ACCREDITED_REASON.match(header)
    if not found:
        return None
    letters = (_UNAUTHORISED_REASONS if found[1].startswith("un") else _ACCREDITED_REASONS).get(found[2])
    return f"code {letters}" if letters else None
