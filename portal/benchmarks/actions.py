"""What can be done with published figures: load the bundled releases, and load a newer release."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pandas as pd
from sqlalchemy import Text, cast, column, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from portal.audit.actions import record
from portal.benchmarks import queries
from portal.benchmarks.domain import layouts, tables
from portal.benchmarks.domain.bundled_releases import bundled_releases
from portal.benchmarks.domain.figures import (
    FIRST_SUMMED_YEAR,
    date_phrase,
)
from portal.benchmarks.domain.reading import Release, read_release
from portal.benchmarks.events import RELEASE_LOADED
from portal.benchmarks.models import PublishedFigure, PublishedRelease
from portal.db.work import action, tx
from portal.platform import clock
from portal.platform.problems import Problem, ProblemsError
from portal.rules.date_words import date_in_words

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from uuid import UUID

    from portal.benchmarks.domain.bundled_releases import BundledRelease


#: The number of the advisory lock under which releases are loaded one after another.
_LOADING_LOCK = 5_120_251

_KEY_COLUMNS = ("level", "geography", "geography_name", "phase", "period_kind", "academic_year", "status", "total_basis")
_DAY_COLUMNS = ("week", "first_day", "last_day")
_COUNT_COLUMNS = tuple(name for name in layouts.COUNTS if name not in {"attendance", "absence"})


@dataclass(frozen=True, slots=True)
class ReleaseDetails:
    """What a person says of a file: name, publication date, and the end of a year to date."""

    name: str
    published_on: date
    file_name: str = ""
    data_to: date | None = None
    is_copy_date: bool = False


@action
def load_bundled() -> int:
    """Load the bundled releases that are not loaded yet. Returns how many. Safe to call at every start."""
    # Two web workers starting at once would both find a release missing and load it twice.
    _lock_loading()
    loaded_hashes = queries.hashes_everyone_sees()
    missing = [release for release in bundled_releases() if release.sha256 not in loaded_hashes]
    for release in missing:
        _load_bundled(release)
    return len(missing)


@action
def import_release(content: bytes, *, name: str, published_on: date, file_name: str = "", data_to: date | None = None) -> UUID:
    """Load a data file as published on Explore Education Statistics, completely or not at all. Returns the release's id.

    An authority's people load a release for their authority alone; the platform loads it for everyone. `data_to` is the last
    day of a year to date. Without it the day is taken from the name or the publication date.

    Raises:
        ProblemsError: naming rows, columns and values; nothing is changed.
    """
    details = ReleaseDetails(name.strip(), published_on, file_name, data_to)
    if not details.name:
        raise ProblemsError([Problem("Enter the release's name.")])
    if published_on > clock.today():
        raise ProblemsError([Problem("Enter the day the release was published: it cannot be after today.")])
    release = read_release(content, published_on=published_on, name=name, data_to=data_to)
    _lock_loading()
    problems = release.problems or _conflicts(release, details)
    if problems:
        raise ProblemsError(problems)
    return _store(release, details, audience=queries.audience())


def import_file(
    path: Path, *, name: str | None = None, published_on: date | None = None, data_to: date | None = None
) -> dict[str, Any]:
    """Load a file from disk for the command line. Returns a JSON-ready document that says what happened.

    Without a name the file's own name is used, and without a publication date today. Keys: `release` (id, or None), `name`,
    `series`, `published_on`, `figures`, `left_out`, `covers`, `notes`, `problems` (row, column, value, sentence).
    Problems mean nothing was loaded.
    """
    details = ReleaseDetails(name or path.stem, published_on or clock.today(), path.name, data_to)
    report: dict[str, Any] = {
        "release": None,
        "name": details.name,
        "published_on": details.published_on.isoformat(),
        "problems": [],
    }
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= tables.LIMITS.size else b""
    except OSError as error:
        report["problems"] = [asdict(Problem(f"The file cannot be opened: {error.strerror}."))]
        return report
    if size > tables.LIMITS.size:
        report["problems"] = [asdict(Problem(tables.TOO_LARGE))]
        return report
    try:
        release_id = import_release(
            content, name=details.name, published_on=details.published_on, file_name=details.file_name, data_to=data_to
        )
    except ProblemsError as error:
        report["problems"] = [asdict(problem) for problem in error.problems]
        return report
    release = queries.release(release_id)
    if release is not None:
        counts = {"series": release.series, "figures": release.figures, "left_out": release.left_out}
        report |= {"release": str(release_id), **counts, "covers": list(release.covers), "notes": list(release.notes)}
    return report


def _conflicts(release: Release, details: ReleaseDetails) -> list[Problem]:
    """What contradicts the details a person gave, or the releases already loaded."""
    earlier = queries.release_with_hash(release.sha256)
    if earlier is not None:
        return [
            Problem(
                f"This file is here already, as “{earlier.name}”, {date_phrase(earlier.published_on, copied=earlier.is_copy_date)}."
            )
        ]
    last_days = release.figures["last_day"].dropna()
    if len(last_days) and last_days.max() > details.published_on:
        return [
            Problem(f"The file has figures to {date_in_words(last_days.max())}: enter the day it was published, which is later.")
        ]
    return []


def _load_bundled(bundled: BundledRelease) -> None:
    details = ReleaseDetails(bundled.name, bundled.published_on, bundled.original_name, bundled.data_to, bundled.is_copy_date)
    release = read_release(bundled.content(), published_on=bundled.published_on, name=bundled.name, data_to=bundled.data_to)
    if release.problems or release.sha256 != bundled.sha256:
        raise ProblemsError(release.problems or [Problem(f"{bundled.file} is not the file that was bundled.")])
    _store(replace(release, notes=(bundled.note, *release.notes)), details, audience=None, bundled=True)


def _store(release: Release, details: ReleaseDetails, *, audience: UUID | None, bundled: bool = False) -> UUID:
    figures = release.figures
    row = PublishedRelease(
        id=uuid4(),
        name=details.name,
        series=release.series,
        published_on=details.published_on,
        is_copy_date=details.is_copy_date,
        sha256=release.sha256,
        file_name=details.file_name,
        decimal_places=2 if int(figures["academic_year"].max()) >= FIRST_SUMMED_YEAR else 1,
        figures=len(figures),
        left_out=release.left_out,
        notes=list(release.notes),
        bundled=bundled,
        audience=audience,
        loaded_at=clock.now(),
    )
    tx().add(row)
    # The figures are inserted by plain SQL and refer to this row, so it must be in the database first.
    tx().flush()
    _insert_figures(figures, row.id)
    record(
        RELEASE_LOADED,
        row.id,
        series=release.series,
        published_on=details.published_on,
        sha256=release.sha256,
        figures=len(figures),
        left_out=release.left_out,
    )
    return row.id


def _insert_figures(figures: pd.DataFrame, release_id: UUID) -> None:
    """Insert all figures in one statement: PostgreSQL unfolds the rows from one JSON document."""
    table = PublishedFigure.__table__
    names = [*_KEY_COLUMNS, "term", *_DAY_COLUMNS, *_COUNT_COLUMNS, *layouts.MEANS, "by_code", "rates", "symbols"]
    rows = (
        func.jsonb_to_recordset(cast(literal(_as_json(figures), Text), JSONB))
        .table_valued(*(column(name, table.c[name].type) for name in names))
        .render_derived(name="published", with_types=True)
    )
    values = [func.jsonb_strip_nulls(rows.c[name]) if isinstance(table.c[name].type, JSONB) else rows.c[name] for name in names]
    selected = select(func.gen_random_uuid(), literal(release_id), *values)
    tx().execute(insert(PublishedFigure).from_select(["id", "release_id", *names], selected, include_defaults=False))


def _as_json(figures: pd.DataFrame) -> str:
    """The figures as a JSON array with an object for each row, and null for missing values."""
    rows = figures[[*_KEY_COLUMNS, "term", "symbols"]].copy()
    for name in _DAY_COLUMNS:
        rows[name] = [None if pd.isna(on) else on.isoformat() for on in figures[name]]
    for name in _COUNT_COLUMNS:
        rows[name] = figures[name].astype("Int64") if name in figures else None
    for name in layouts.MEANS:
        # repr gives the shortest digits that read back as the same number: the file's own, as text into a numeric column.
        rows[name] = [None if pd.isna(mean) else repr(mean) for mean in figures[name].tolist()] if name in figures else None
    rows["by_code"] = _objects_of_prefix(figures, "code ")
    rows["rates"] = _objects_of_prefix(figures, "rate ")
    return str(rows.to_json(orient="records"))


def _objects_of_prefix(figures: pd.DataFrame, prefix: str) -> list[dict[str, Any]]:
    """The columns with one prefix as an object for each row."""
    names = {name: name.removeprefix(prefix) for name in figures.columns if name.startswith(prefix)}
    if not names:
        return [{} for _ in range(len(figures))]
    columns = figures[list(names)].rename(columns=names)
    columns = columns.astype("Int64") if prefix == "code " else columns
    objects: list[dict[str, Any]] = json.loads(columns.to_json(orient="records"))
    return objects


def _lock_loading() -> None:
    """Wait until nobody else loads releases. The lock ends with the transaction."""
    tx().execute(select(func.pg_advisory_xact_lock(_LOADING_LOCK)))
