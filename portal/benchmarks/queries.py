"""Queries of published figures: one figure, a series of weeks, a release's coverage, the latest figures."""

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
    week_span_text,
    week_text,
)
from portal.benchmarks.models import PublishedFigure, PublishedRelease
from portal.db.work import tx
from portal.rules.calendar import academic_year_name
from portal.rules.date_words import date_in_words, dates_in_words
from portal.security import scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row, Select


#: The period a figure is for: a week (its Monday), an academic year (2025 for 2025/26), or a term of one (2024, "Autumn").
PeriodKey = date | int | tuple[int, str]


def benchmark(geography: str, phase: str, period: PeriodKey, *, series: str = DAILY, as_at: date | None = None) -> Benchmark | None:
    """The newest published figure for a place, phase and period; None when there is none.

    `geography` is a three-digit authority code, a region code or ENGLAND. `period` is a week of the daily series (its Monday),
    a term, or an academic year: the year to date of the daily series, the full year of the accredited one. `as_at` asks what
    had been published by a day.

    Raises:
        NotOfferedError: for a week of the accredited series, which has none.
    """
    if isinstance(period, date):
        if series == ACCREDITED:
            message = "The accredited census series has no weeks: choose a term or a full year, or the daily attendance series."
            raise NotOfferedError(message)
        conditions = (PublishedFigure.period_kind == WEEK, PublishedFigure.week == period)
    elif isinstance(period, int):
        year_kind = YEAR_TO_DATE if series == DAILY else YEAR
        conditions = (PublishedFigure.period_kind == year_kind, PublishedFigure.academic_year == period)
    else:
        conditions = (PublishedFigure.academic_year == period[0], PublishedFigure.term == period[1])
    return next(iter(_newest_by_period(_figures(series, geography, phase, *conditions, as_at=as_at))), None)


def weekly_series(geography: str, phase: str, academic_year: int, *, as_at: date | None = None) -> tuple[Benchmark, ...]:
    """Every published week of a year of the daily series for a place and phase, in order.

    Weeks without figures are left out.
    """
    in_year = PublishedFigure.academic_year == academic_year
    figures = _newest_by_period(_figures(DAILY, geography, phase, PublishedFigure.period_kind == WEEK, in_year, as_at=as_at))
    return tuple(sorted(figures, key=lambda figure: figure.week or date.min))


def year_to_date(geography: str, phase: str, academic_year: int, *, as_at: date | None = None) -> Benchmark | None:
    """The daily series' year to date for a place and phase; its `last_day` says how far it goes."""
    return benchmark(geography, phase, academic_year, as_at=as_at)


def same_weeks_last_year(geography: str, phase: str, weeks: Sequence[date]) -> dict[date, SameWeek]:
    """The daily series for the same ISO weeks a year before, each with a sentence that says so.

    They are for weeks whose own figures are not out yet.
    """
    matched = {week: _year_before(week) for week in weeks}
    in_weeks = PublishedFigure.week.in_([week for week in matched.values() if week is not None])
    figures = _newest_by_period(_figures(DAILY, geography, phase, PublishedFigure.period_kind == WEEK, in_weeks))
    by_week = {figure.week: figure for figure in figures}
    newest = latest()
    addition = f" {newest.sentence}" if newest else ""
    return {
        week: SameWeek(week, before, by_week.get(before), _sentence_of(week, before, by_week.get(before), addition))
        for week, before in matched.items()
    }


def _year_before(week: date) -> date | None:
    """The Monday of the same ISO week a year before; None where that year has no such week."""
    year, number, _ = week.isocalendar()
    try:
        return date.fromisocalendar(year - 1, number, 1)
    except ValueError:
        return None


def _sentence_of(week: date, before: date | None, figure: Benchmark | None, addition: str) -> str:
    if before is None:
        year, number, _ = week.isocalendar()
        return f"{year - 1} had no week {number} to set beside this one."
    words = f"{week_text(before)} ({dates_in_words(before, before + FRIDAY)})"
    if figure is None:
        return f"No figure is published for the same week last year, {words}.{addition}"
    return f"Same week last year: {words}."


def latest(geography: str = ENGLAND) -> Latest | None:
    """How far the daily series goes for a place.

    That is its newest year with weeks, the first and last of them, and its year to date.
    """
    figure = PublishedFigure
    visible = (figure.geography == geography, figure.release_id.in_(select(PublishedRelease.id).where(_is_visible())))
    year = tx().scalar(select(func.max(figure.academic_year)).where(*visible, figure.period_kind == WEEK))
    in_year = (*visible, figure.academic_year == year)
    first, last = tx().execute(select(func.min(figure.week), func.max(figure.week)).where(*in_year)).one()
    if year is None or first is None or last is None:
        return None
    year_to_date_to = tx().scalar(select(func.max(figure.last_day)).where(*in_year, figure.period_kind == YEAR_TO_DATE))
    return Latest(year, first, last, year_to_date_to)


def releases() -> tuple[ReleaseSummary, ...]:
    """Every visible release, newest first, with what each covers."""
    order = (PublishedRelease.published_on.desc(), PublishedRelease.loaded_at.desc(), PublishedRelease.name)
    visible = list(tx().scalars(select(PublishedRelease).where(_is_visible()).order_by(*order)))
    coverage = _coverage([release.id for release in visible])
    return tuple(_to_summary(release, coverage.get(release.id, ())) for release in visible)


def release(release_id: UUID) -> ReleaseSummary | None:
    """One release, or None when no visible release has that id."""
    visible = tx().scalar(select(PublishedRelease).where(PublishedRelease.id == release_id, _is_visible()))
    if visible is None:
        return None
    return _to_summary(visible, _coverage([visible.id]).get(visible.id, ()))


def national_figures(release_id: UUID) -> tuple[Benchmark, ...]:
    """A release's figures for England, in order of period and phase."""
    rows = tx().execute(
        select(PublishedFigure, PublishedRelease)
        .join(PublishedRelease, PublishedRelease.id == PublishedFigure.release_id)
        .where(PublishedFigure.release_id == release_id, PublishedFigure.level == NATIONAL, _is_visible())
    )
    phases = list(PHASES)
    figures = [_to_benchmark(row[0], row[1]) for row in rows]
    return tuple(
        sorted(figures, key=lambda figure: (figure.academic_year, figure.first_day or date.min, phases.index(figure.phase)))
    )


def audience() -> UUID | None:
    """For whom a release is loaded now: the authority in scope, or everyone (None) for the platform."""
    authority = scope.current().authority_id
    return None if authority == PLATFORM else authority


def release_with_hash(sha256: str) -> PublishedRelease | None:
    """The visible release that was loaded from these bytes, if any."""
    return tx().scalars(select(PublishedRelease).where(PublishedRelease.sha256 == sha256, _is_visible())).first()


def hashes_everyone_sees() -> frozenset[str]:
    """The hashes of the releases everyone sees."""
    return frozenset(tx().scalars(select(PublishedRelease.sha256).where(PublishedRelease.audience.is_(None))))


def _is_visible() -> ColumnElement[bool]:
    """The condition for releases that may be seen: bundled or from the platform, or the authority's own.

    Never another authority's. The tables are shared, so row security does not do this: every query must.
    """
    everyone = PublishedRelease.audience.is_(None)
    current = scope.current_or_none()
    return everyone if current is None else or_(everyone, PublishedRelease.audience == current.authority_id)


def _figures(
    series: str, geography: str, phase: str, *conditions: ColumnElement[bool], as_at: date | None = None
) -> Select[PublishedFigure, PublishedRelease]:
    """Figures with their releases, the newest first.

    Before newness, a week's figure that covers more of its days comes first.
    """
    by_length = func.coalesce(PublishedFigure.last_day - PublishedFigure.first_day, 0).desc()
    query = (
        select(PublishedFigure, PublishedRelease)
        .join(PublishedRelease, PublishedRelease.id == PublishedFigure.release_id)
        .where(
            PublishedRelease.series == series, PublishedFigure.geography == geography, PublishedFigure.phase == phase, _is_visible()
        )
        .where(*conditions)
        .order_by(by_length, PublishedRelease.published_on.desc(), PublishedRelease.loaded_at.desc(), PublishedRelease.id)
    )
    return query if as_at is None else query.where(PublishedRelease.published_on <= as_at)


def _newest_by_period(query: Select[PublishedFigure, PublishedRelease]) -> tuple[Benchmark, ...]:
    """The newest release's figure for each period."""
    newest: dict[tuple[object, ...], Benchmark] = {}
    for row in tx().execute(query):
        figure = _to_benchmark(row[0], row[1])
        newest.setdefault((figure.period_kind, figure.academic_year, figure.week, figure.term), figure)
    return tuple(newest.values())


def _to_benchmark(figure: PublishedFigure, release: PublishedRelease) -> Benchmark:
    return Benchmark(
        series=release.series,
        release=release.name,
        release_id=release.id,
        published_on=release.published_on,
        is_copy_date=release.is_copy_date,
        decimal_places=release.decimal_places,
        **{name: getattr(figure, name) for name in _FIGURE_FIELDS},
    )


_FIGURE_FIELDS = tuple(
    name
    for name in Benchmark.__dataclass_fields__
    if name not in {"series", "release", "release_id", "published_on", "is_copy_date", "decimal_places"}
)


def _to_summary(release: PublishedRelease, coverage: Sequence[str]) -> ReleaseSummary:
    return ReleaseSummary(
        id=release.id,
        name=release.name,
        series=release.series,
        published_on=release.published_on,
        is_copy_date=release.is_copy_date,
        file_name=release.file_name,
        figures=release.figures,
        left_out=release.left_out,
        notes=tuple(release.notes),
        bundled=release.bundled,
        own=release.audience is not None,
        covers=tuple(coverage),
    )


def _coverage(ids: Sequence[UUID]) -> Mapping[UUID, tuple[str, ...]]:
    """What each release covers, in words: years, weeks, terms, and how many authorities."""
    figure = PublishedFigure
    columns = (figure.release_id, figure.period_kind, figure.academic_year, figure.term)
    query = select(
        *columns,
        func.min(figure.week),
        func.max(figure.week),
        func.max(figure.last_day),
        func.count(figure.geography.distinct()).filter(figure.level == AUTHORITY),
    )
    rows = tx().execute(query.where(figure.release_id.in_(ids)).group_by(*columns).order_by(*columns))
    return {release_id: tuple(_coverage_texts(list(group))) for release_id, group in groupby(rows, key=lambda row: row[0])}


def _coverage_texts(rows: list[Row[UUID, str, int, str | None, date | None, date | None, date | None, int]]) -> Iterable[str]:
    for kind, group in groupby(rows, key=lambda row: row[1]):
        of_kind = list(group)
        years = sorted({row[2] for row in of_kind})
        authorities = _authority_count(max(row[7] for row in of_kind))
        if kind == WEEK:
            yield from (f"{academic_year_name(row[2])}, {_week_text(row[4], row[5])}, {authorities}" for row in of_kind)
        elif kind == YEAR_TO_DATE:
            yield from (
                f"{academic_year_name(row[2])} year to date{f' to {date_in_words(row[6])}' if row[6] else ''}, {authorities}"
                for row in of_kind
            )
        elif kind == TERM:
            names = sorted({row[3] or "" for row in of_kind})
            yield f"{', '.join(names).lower()} terms of {_years_text(years)}, {authorities}"
        else:
            yield f"full years {_years_text(years)}, {authorities}"


def _authority_count(number: int) -> str:
    return f"{number} {'authority' if number == 1 else 'authorities'}" if number else "England and regions only"


def _week_text(first: date | None, last: date | None) -> str:
    return week_span_text(first, last) if first and last else "weeks"


def _years_text(years: Sequence[int]) -> str:
    """“2018/19, 2022/23 to 2024/25”."""
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return ", ".join(
        academic_year_name(span[0]) + (f" to {academic_year_name(span[-1])}" if len(span) > 1 else "") for span in spans
    )
