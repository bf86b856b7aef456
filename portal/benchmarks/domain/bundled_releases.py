"""The bundled releases: their names, dates and files, as listed beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import resources

from portal.tabular.csv_rows import records


@dataclass(frozen=True, slots=True)
class BundledRelease:
    """One bundled release. `sha256` is of the file unpacked; `data_to` the last day of a year to date."""

    file: str
    name: str
    published_on: date
    data_to: date | None
    sha256: str
    original_name: str
    note: str
    is_copy_date: bool

    def content(self) -> bytes:
        """The packed file."""
        return resources.files("portal.benchmarks.domain").joinpath("bundled", self.file).read_bytes()


def bundled_releases() -> tuple[BundledRelease, ...]:
    """Every bundled release, oldest first."""
    content = resources.files("portal.benchmarks.domain").joinpath("bundled", "releases.csv").read_bytes()
    return tuple(
        BundledRelease(
            row["file"],
            row["name"],
            date.fromisoformat(row["published_on"]),
            date.fromisoformat(row["data_to"]) if row["data_to"] else None,
            row["sha256"],
            row["original_name"],
            row["note"],
            row["dated"] == "copied",
        )
        for row in records(content)
    )
