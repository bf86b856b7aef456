"""What can be done with published figures: load those that come with the product, and load a newer release."""

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
from portal.benchmarks.domain.figures import FIRST_SUMMED_YEAR, dated_words, day_words
from portal.benchmarks.domain.reading import Release, read_release
from portal.benchmarks.domain.tables import Problem
from portal.benchmarks.events import RELEASE_LOADED
from portal.benchmarks.models import PublishedFigure, PublishedRelease
from portal.db.work import action, tx
from portal.platform import clock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path
    from uuid import UUID

    from portal.benchmarks.domain.bundled_releases import BundledRelease


#: The lock under which releases are loaded one after another.
_LOADING = 5_120_251

_KEYS = ("level", "geography", "geography_name", "phase", "period_kind", "academic_year", "status", "total_basis")
_DAYS = ("week", "first_day", "last_day")
_COUNTS = tuple(name for name in layouts.COUNTS if name not in {"attendance", "absence"})


class ReleaseRefusedError(Exception):
    """A file was not loaded, and nothing changed; `problems` say why and what to do."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Carry the problems."""
        super().__init__("; ".join(str(one) for one in problems[:3]))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Source:
    """What a person says of a file: the release's name, when it was published, and where a year to date ends."""

    name: str
    published_on: date
    file_name: str = ""
    data_to: date | None = None
    is_copy_date: bool = False


@action
def load_bundled() -> int:
    """Load the releases that come with the product and are not here yet; returns how many. Safe to call at every start."""
    _one_at_a_time()
    here = queries.known_hashes()
    missing = [one for one in bundled_releases() if one.sha256 not in here]
    for one in missing:
        _load_one_shipped(one)
    return len(missing)


@action
def import_release(content: bytes, *, name: str, published_on: date, file_name: str = "", data_to: date | None = None) -> UUID:
    """Load a data file as published on Explore Education Statistics, wholly or not at all; returns the release's id.

    Loaded by an authority's people, its figures are seen by that authority alone; loaded by the platform, by everyone.
    `data_to` is the last day of a year to date; without it the name or the publication date tells.

    Raises:
        ReleaseRefusedError: naming rows, columns and values; nothing is changed.
    """
    source = Source(name.strip(), published_on, file_name, data_to)
    if not source.name:
        raise ReleaseRefusedError([Problem("Enter the release's name.")])
    if published_on > clock.today():
        raise ReleaseRefusedError([Problem("Enter the day the release was published: it cannot be after today.")])
    release = read_release(content, published_on=published_on, name=name, data_to=data_to)
    _one_at_a_time()
    problems = release.problems or _against_the_source(release, source)
    if problems:
        raise ReleaseRefusedError(problems)
    return _store(release, source, audience=queries.audience())


def import_file(
    path: Path, *, name: str | None = None, published_on: date | None = None, data_to: date | None = None
) -> dict[str, Any]:
    """Load a file from disk for the command line and say what happened as one JSON-ready document.

    Without a name the file's own stands in, without a publication date today. Keys: `release` (id, or None), `name`,
    `series`, `published_on`, `figures`, `left_out`, `covers`, `notes`, `problems` (row, column, value, sentence).
    Problems mean nothing was loaded.
    """
    source = Source(name or path.stem, published_on or clock.today(), path.name, data_to)
    said: dict[str, Any] = {"release": None, "name": source.name, "published_on": source.published_on.isoformat(), "problems": []}
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= tables.MAX_BYTES else b""
    except OSError as error:
        said["problems"] = [asdict(Problem(f"The file cannot be opened: {error.strerror}."))]
        return said
    if size > tables.MAX_BYTES:
        said["problems"] = [asdict(Problem(tables.TOO_LARGE))]
        return said
    try:
        loaded = import_release(
            content, name=source.name, published_on=source.published_on, file_name=source.file_name, data_to=data_to
        )
    except ReleaseRefusedError as refused:
        said["problems"] = [asdict(one) for one in refused.problems]
        return said
    found = queries.release(loaded)
    if found is not None:
        kept = {"series": found.series, "figures": found.figures, "left_out": found.left_out}
        said |= {"release": str(loaded), **kept, "covers": list(found.covers), "notes": list(found.notes)}
    return said


def _against_the_source(release: Release, source: Source) -> list[Problem]:
    """What does not go with what the person said of the file, or with what is here already."""
    before = queries.loaded(release.sha256)
    if before is not None:
        return [
            Problem(
                f"This file is here already, as “{before.name}”, {dated_words(before.published_on, copied=before.is_copy_date)}."
            )
        ]
    last = release.figures["last_day"].dropna()
    if len(last) and last.max() > source.published_on:
        return [Problem(f"The file has figures to {day_words(last.max())}: enter the day it was published, which is later.")]
    return []


def _load_one_shipped(one: BundledRelease) -> None:
    source = Source(one.name, one.published_on, one.original_name, one.data_to, one.is_copy_date)
    release = read_release(one.content(), published_on=one.published_on, name=one.name, data_to=one.data_to)
    if release.problems or release.sha256 != one.sha256:
        raise ReleaseRefusedError(release.problems or [Problem(f"{one.file} is not the file that was shipped.")])
    _store(replace(release, notes=(one.note, *release.notes)), source, audience=None, in_the_box=True)


def _store(release: Release, source: Source, *, audience: UUID | None, in_the_box: bool = False) -> UUID:
    figures = release.figures
    row = PublishedRelease(
        id=uuid4(),
        name=source.name,
        series=release.series,
        published_on=source.published_on,
        is_copy_date=source.is_copy_date,
        sha256=release.sha256,
        file_name=source.file_name,
        decimal_places=2 if int(figures["academic_year"].max()) >= FIRST_SUMMED_YEAR else 1,
        figures=len(figures),
        left_out=release.left_out,
        notes=list(release.notes),
        shipped=in_the_box,
        audience=audience,
        loaded_at=clock.now(),
    )
    tx().add(row)
    tx().flush()
    _insert(figures, row.id)
    record(
        RELEASE_LOADED,
        row.id,
        series=release.series,
        published_on=source.published_on,
        sha256=release.sha256,
        figures=len(figures),
        left_out=release.left_out,
    )
    return row.id


def _insert(figures: pd.DataFrame, release_id: UUID) -> None:
    """One statement for all rows: PostgreSQL unfolds them from one JSON document."""
    table = PublishedFigure.__table__
    names = [*_KEYS, "term", *_DAYS, *_COUNTS, *layouts.MEANS, "by_code", "rates", "symbols"]
    rows = (
        func.jsonb_to_recordset(cast(literal(_document(figures), Text), JSONB))
        .table_valued(*(column(name, table.c[name].type) for name in names))
        .render_derived(name="published", with_types=True)
    )
    taken = [func.jsonb_strip_nulls(rows.c[name]) if isinstance(table.c[name].type, JSONB) else rows.c[name] for name in names]
    chosen = select(func.gen_random_uuid(), literal(release_id), *taken)
    tx().execute(insert(PublishedFigure).from_select(["id", "release_id", *names], chosen, include_defaults=False))


def _document(figures: pd.DataFrame) -> str:
    """The figures as a JSON array of objects, one a row, with missing values as null."""
    rows = figures[[*_KEYS, "term", "symbols"]].copy()
    for name in _DAYS:
        rows[name] = [None if pd.isna(on) else on.isoformat() for on in figures[name]]
    for name in _COUNTS:
        rows[name] = figures[name].astype("Int64") if name in figures else None
    for name in layouts.MEANS:
        rows[name] = [None if pd.isna(mean) else repr(mean) for mean in figures[name].tolist()] if name in figures else None
    rows["by_code"] = _folded(figures, "code ")
    rows["rates"] = _folded(figures, "rate ")
    return str(rows.to_json(orient="records"))


def _folded(figures: pd.DataFrame, prefix: str) -> list[dict[str, Any]]:
    """The columns of one prefix as an object a row."""
    names = {name: name.removeprefix(prefix) for name in figures.columns if name.startswith(prefix)}
    if not names:
        return [{} for _ in range(len(figures))]
    kept = figures[list(names)].rename(columns=names)
    kept = kept.astype("Int64") if prefix == "code " else kept
    found: list[dict[str, Any]] = json.loads(kept.to_json(orient="records"))
    return found


def _one_at_a_time() -> None:
    tx().execute(select(func.pg_advisory_xact_lock(_LOADING)))
