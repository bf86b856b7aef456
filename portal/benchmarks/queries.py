"""What is published: one figure, a series of weeks, what a release covers, and what the latest figures are."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from portal.accounts.models import PLATFORM
from portal.benchmarks.domain.figures import (
    ACCREDITED,
    AUTHORITY,
    DAILY,
    ENGLAND,
    FRIDAY,
    NATIONAL,
    PHASES,
    TERM,
    WEEK,
    YEAR,
    YEAR_TO_DATE,
    Benchmark,
    Latest,
    NotOfferedError,
    ReleaseSummary,
    SameWeek,
    day_words,
    span_words,
    week_span_words,
    week_words,
)
from portal.benchmarks.models import PublishedFigure, PublishedRelease
from portal.db.work import tx
from portal.rules.calendar import academic_year_name
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row, Select


#: When a figure is for: a week (its Monday), an academic year (2025 for 2025/26), or a term of one (2024, "Autumn").
When = date | int | tuple[int, str]


def national(phase: str, when: When, *, series: str = DAILY, as_at: date | None = None) -> Benchmark | None:
    """England's figure for a phase and period; see `benchmark`."""
    return benchmark(ENGLAND, phase, when, series=series, as_at=as_at)


def benchmark(geography: str, phase: str, when: When, *, series: str = DAILY, as_at: date | None = None) -> Benchmark | None:
    """The newest published figure for a place (three-digit authority code, region code or ENGLAND), phase and period.

    `when` is a week of the daily series (its Monday), a term, or an academic year: the year to date of the daily series,
    the full year of the accredited one. `as_at` asks what had been published by a day. None when nothing is.

    Raises:
        NotOfferedError: for a week of the accredited series, which has none.
    """
    if isinstance(when, date):
        if series == ACCREDITED:
            message = "The accredited census series has no weeks: choose a term or a full year, or the daily attendance series."
            raise NotOfferedError(message)
        wanted = (PublishedFigure.period_kind == WEEK, PublishedFigure.week == when)
    elif isinstance(when, int):
        kind = YEAR_TO_DATE if series == DAILY else YEAR
        wanted = (PublishedFigure.period_kind == kind, PublishedFigure.academic_year == when)
    else:
        wanted = (PublishedFigure.academic_year == when[0], PublishedFigure.term == when[1])
    return next(iter(_newest(_published(series, geography, phase, *wanted, as_at=as_at))), None)


def weekly_series(geography: str, phase: str, academic_year: int, *, as_at: date | None = None) -> tuple[Benchmark, ...]:
    """Every published week of a year of the daily series for a place and phase, in order; weeks without figures are absent."""
    year = PublishedFigure.academic_year == academic_year
    found = _newest(_published(DAILY, geography, phase, PublishedFigure.period_kind == WEEK, year, as_at=as_at))
    return tuple(sorted(found, key=lambda one: one.week or date.min))


def year_to_date(geography: str, phase: str, academic_year: int, *, as_at: date | None = None) -> Benchmark | None:
    """The daily series' year to date for a place and phase; its `last_day` says how far it goes."""
    return benchmark(geography, phase, academic_year, as_at=as_at)


def terms(geography: str, phase: str, academic_year: int, *, series: str = ACCREDITED) -> tuple[Benchmark, ...]:
    """Every published term of a year for a place and phase, in order."""
    year = PublishedFigure.academic_year == academic_year
    found = _newest(_published(series, geography, phase, PublishedFigure.period_kind == TERM, year))
    return tuple(sorted(found, key=lambda one: one.first_day or date.min))


def as_published(geography: str, phase: str, week: date) -> tuple[Benchmark, ...]:
    """A week of the daily series as each release gave it, oldest first: how it was restated."""
    found = _published(DAILY, geography, phase, PublishedFigure.period_kind == WEEK, PublishedFigure.week == week)
    return tuple(reversed([_benchmark(row[0], row[1]) for row in tx().execute(found)]))


def same_week_last_year(geography: str, phase: str, week: date) -> SameWeek:
    """The daily series for the same ISO week a year before, labelled as that; for when this year's is not out yet."""
    year, number, _ = week.isocalendar()
    try:
        matched = date.fromisocalendar(year - 1, number, 1)
    except ValueError:
        return SameWeek(week, None, None, f"{year - 1} had no week {number} to set beside this one.")
    found = benchmark(geography, phase, matched)
    words = f"{week_words(matched)} ({span_words(matched, matched + FRIDAY)})"
    if found is None:
        newest = latest()
        after = f" {newest.sentence}" if newest else ""
        return SameWeek(week, matched, None, f"No figure is published for the same week last year, {words}.{after}")
    return SameWeek(week, matched, found, f"Same week last year: {words}.")


def latest(geography: str = ENGLAND) -> Latest | None:
    """How far the daily series goes for a place: the newest year with weeks, its first and last, and the year to date."""
    figure = PublishedFigure
    mine = (figure.geography == geography, figure.release_id.in_(select(PublishedRelease.id).where(_seen())))
    year = tx().scalar(select(func.max(figure.academic_year)).where(*mine, figure.period_kind == WEEK))
    these = (*mine, figure.academic_year == year)
    first, last = tx().execute(select(func.min(figure.week), func.max(figure.week)).where(*these)).one()
    if year is None or first is None or last is None:
        return None
    to = tx().scalar(select(func.max(figure.last_day)).where(*these, figure.period_kind == YEAR_TO_DATE))
    return Latest(year, first, last, to)


def releases() -> tuple[ReleaseSummary, ...]:
    """Every release that can be seen, newest first, with what each covers."""
    order = (PublishedRelease.published_on.desc(), PublishedRelease.loaded_at.desc(), PublishedRelease.name)
    found = list(tx().scalars(select(PublishedRelease).where(_seen()).order_by(*order)))
    covered = _coverage([one.id for one in found])
    return tuple(_summary(one, covered.get(one.id, ())) for one in found)


def release(release_id: UUID) -> ReleaseSummary | None:
    """One release, or None when there is none with that id to be seen."""
    found = tx().scalar(select(PublishedRelease).where(PublishedRelease.id == release_id, _seen()))
    return None if found is None else _summary(found, _coverage([found.id]).get(found.id, ()))


def national_figures(release_id: UUID) -> tuple[Benchmark, ...]:
    """A release's figures for England, in order of period and phase."""
    rows = tx().execute(
        select(PublishedFigure, PublishedRelease)
        .join(PublishedRelease, PublishedRelease.id == PublishedFigure.release_id)
        .where(PublishedFigure.release_id == release_id, PublishedFigure.level == NATIONAL, _seen())
    )
    phases = list(PHASES)
    found = [_benchmark(row[0], row[1]) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.academic_year, one.first_day or date.min, phases.index(one.phase))))


def audience() -> UUID | None:
    """For whom a release is loaded now: the authority in scope, or everyone when the platform loads it."""
    authority = scope.current().authority_id
    return None if authority == PLATFORM else authority


def loaded(sha256: str) -> PublishedRelease | None:
    """The release these bytes were loaded as before, if they were, among those that can be seen."""
    return tx().scalars(select(PublishedRelease).where(PublishedRelease.sha256 == sha256, _seen())).first()


def known_hashes() -> frozenset[str]:
    """The hashes of the releases everyone sees."""
    return frozenset(tx().scalars(select(PublishedRelease.sha256).where(PublishedRelease.audience.is_(None))))


def _seen() -> ColumnElement[bool]:
    """Releases that came with the product or from the platform, and the authority's own: never another authority's."""
    everyone = PublishedRelease.audience.is_(None)
    open_scope = scope.current_or_none()
    return everyone if open_scope is None else or_(everyone, PublishedRelease.audience == open_scope.authority_id)


def _published(
    series: str, geography: str, phase: str, *wanted: ColumnElement[bool], as_at: date | None = None
) -> Select[PublishedFigure, PublishedRelease]:
    """Figures with their releases, the newest first; before newness, a week's figure that covers more of its days."""
    longest = func.coalesce(PublishedFigure.last_day - PublishedFigure.first_day, 0).desc()
    found = (
        select(PublishedFigure, PublishedRelease)
        .join(PublishedRelease, PublishedRelease.id == PublishedFigure.release_id)
        .where(PublishedRelease.series == series, PublishedFigure.geography == geography, PublishedFigure.phase == phase, _seen())
        .where(*wanted)
        .order_by(longest, PublishedRelease.published_on.desc(), PublishedRelease.loaded_at.desc(), PublishedRelease.id)
    )
    return found if as_at is None else found.where(PublishedRelease.published_on <= as_at)


def _newest(found: Select[PublishedFigure, PublishedRelease]) -> tuple[Benchmark, ...]:
    """The newest release's figure for each period."""
    newest: dict[tuple[object, ...], Benchmark] = {}
    for row in tx().execute(found):
        one = _benchmark(row[0], row[1])
        newest.setdefault((one.period_kind, one.academic_year, one.week, one.term), one)
    return tuple(newest.values())


def _benchmark(figure: PublishedFigure, of: PublishedRelease) -> Benchmark:
    return Benchmark(
        series=of.series,
        release=of.name,
        release_id=of.id,
        published_on=of.published_on,
        is_copy_date=of.is_copy_date,
        decimal_places=of.decimal_places,
        **{name: getattr(figure, name) for name in _CARRIED},
    )


_CARRIED = tuple(
    name
    for name in Benchmark.__dataclass_fields__
    if name not in {"series", "release", "release_id", "published_on", "is_copy_date", "decimal_places"}
)


def _summary(one: PublishedRelease, covers: Sequence[str]) -> ReleaseSummary:
    return ReleaseSummary(
        id=one.id,
        name=one.name,
        series=one.series,
        published_on=one.published_on,
        is_copy_date=one.is_copy_date,
        file_name=one.file_name,
        figures=one.figures,
        left_out=one.left_out,
        notes=tuple(one.notes),
        shipped=one.shipped,
        own=one.audience is not None,
        covers=tuple(covers),
    )


def _coverage(ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, ...]]:
    """What each release covers, in words: years, weeks, terms, and how many authorities."""
    figure = PublishedFigure
    parts = (figure.release_id, figure.period_kind, figure.academic_year, figure.term)
    counted = select(
        *parts,
        func.min(figure.week),
        func.max(figure.week),
        func.max(figure.last_day),
        func.count(figure.geography.distinct()).filter(figure.level == AUTHORITY),
    )
    rows = tx().execute(counted.where(figure.release_id.in_(ids)).group_by(*parts).order_by(*parts))
    return {of: tuple(_covers(list(these))) for of, these in groupby(rows, key=lambda row: row[0])}


def _covers(rows: list[Row[UUID, str, int, str | None, date | None, date | None, date | None, int]]) -> Iterable[str]:
    for kind, these in groupby(rows, key=lambda row: row[1]):
        found = list(these)
        years = sorted({row[2] for row in found})
        places = _authorities(max(row[7] for row in found))
        if kind == WEEK:
            yield from (f"{academic_year_name(row[2])}, {_weeks(row[4], row[5])}, {places}" for row in found)
        elif kind == YEAR_TO_DATE:
            yield from (
                f"{academic_year_name(row[2])} year to date{f' to {day_words(row[6])}' if row[6] else ''}, {places}"
                for row in found
            )
        elif kind == TERM:
            named = sorted({row[3] or "" for row in found})
            yield f"{', '.join(named).lower()} terms of {_years(years)}, {places}"
        else:
            yield f"full years {_years(years)}, {places}"


def _authorities(number: int) -> str:
    return f"{number} {'authority' if number == 1 else 'authorities'}" if number else "England and regions only"


def _weeks(first: date | None, last: date | None) -> str:
    return week_span_words(first, last) if first and last else "weeks"


def _years(years: Sequence[int]) -> str:
    """“2018/19, 2022/23 to 2024/25”."""
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(academic_year_name(run[0]) + (f" to {academic_year_name(run[-1])}" if len(run) > 1 else "") for run in runs)
