"""Published files for tests: samples, and one row whose columns can be changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from portal.benchmarks.domain.reading import Release, read_release

SAMPLES = Path(__file__).parent / "samples"

HEADER = (
    "time_period,time_identifier,geographic_level,region_code,new_la_code,old_la_code,la_name,education_phase,num_schools,enrolments,"
    "present_sessions,overall_attendance,approved_educational_activity,overall_absence,authorised_absence,unauthorised_absence,"
    "late_sessions,possible_sessions,reason_l_present_late_before_registers_closed,reason_u_unauthorised_late_after_registers_closed"
)
ROW = (
    "2025,Week 37,Local authority,E12000003,E08000035,383,Leeds,Primary,221.8,59445.2,538384,541526,3142,23427,12400,11027,5655,"
    "564953,4866,789"
)


def sample(name: str) -> Release:
    """Read one of the messy samples."""
    return read_release((SAMPLES / name).read_bytes(), published_on=date(2026, 7, 23))


def read(*rows: str, header: str = HEADER, published_on: date = date(2025, 11, 20)) -> Release:
    """Read rows under a header, as bytes."""
    return read_release("\n".join([header, *rows]).encode(), published_on=published_on)


def changed(**values: str) -> str:
    """The row with some of its columns set to other words."""
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    return ",".join({**cells, **values}.values())


def sentences(release: Release) -> str:
    """Every problem as a person reads it."""
    return "\n".join(str(problem) for problem in release.problems)
