"""Published figures: the terms for series, places, phases and periods, and one figure with its exact rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from portal.rules.calendar import academic_year_name
from portal.rules.date_words import date_in_words, dates_in_words
from portal.rules.measures import rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from uuid import UUID

#: The two series, which are never mixed, and their titles as published.
DAILY, ACCREDITED = "daily", "accredited"
SERIES = {DAILY: "Pupil attendance in schools", ACCREDITED: "Pupil absence in schools in England"}
SERIES_LABELS = {DAILY: "daily attendance series", ACCREDITED: "accredited census series"}

NATIONAL, REGION, AUTHORITY = "national", "region", "authority"
ENGLAND = "E92000001"

PRIMARY, SECONDARY, SPECIAL, TOTAL = "primary", "secondary", "special", "total"
PHASES = {PRIMARY: "primary schools", SECONDARY: "secondary schools", SPECIAL: "special schools", TOTAL: "all schools"}

WEEK, YEAR_TO_DATE, TERM, YEAR = "week", "year to date", "term", "year"
PERIOD_KINDS = (WEEK, YEAR_TO_DATE, TERM, YEAR)

PUBLISHED, SUPPRESSED, UNAVAILABLE = "published", "suppressed", "unavailable"

#: How a row for all schools was made: summed sessions, or the phases' average weighted by census enrolments.
SUMMED, WEIGHTED = "summed", "weighted"

#: The first year whose all-schools rows are sums; before it they are averages weighted by census enrolments (daily series).
FIRST_SUMMED_YEAR = 2025

ATTRIBUTION = (
    "Contains public sector information licensed under the Open Government Licence v3.0. Source: Department for Education."
)

#: The measures a figure can give: a rate of sessions, or of pupil enrolments.
SESSION_RATES = ("attendance", "absence", "authorised", "unauthorised")
ENROLMENT_RATES = ("persistent", "severe")


class NotOfferedError(ValueError):
    """The figure does not exist or would mislead. The message says why, and what there is instead."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One published figure with everything that must be shown beside it.

    Counts are sessions; None where none is published.
    """

    series: str
    release: str
    release_id: UUID
    published_on: date
    is_copy_date: bool
    decimal_places: int
    level: str
    geography: str
    geography_name: str
    phase: str
    period_kind: str
    academic_year: int
    week: date | None
    term: str | None
    first_day: date | None
    last_day: date | None
    status: str
    total_basis: str
    possible: int | None
    present: int | None
    approved: int | None
    authorised: int | None
    unauthorised: int | None
    late: int | None
    pa_count: int | None
    sa_count: int | None
    enrolments: Decimal | None
    schools: Decimal | None
    schools_in_all: Decimal | None
    by_code: Mapping[str, int]
    rates: Mapping[str, str]
    symbols: Mapping[str, str]

    @property
    def absence(self) -> int | None:
        """Sessions missed, authorised and unauthorised."""
        return None if self.authorised is None or self.unauthorised is None else self.authorised + self.unauthorised

    @property
    def attendance(self) -> int | None:
        """Sessions attended: present and approved educational activity. Possible sessions less absence."""
        return None if self.possible is None or self.absence is None else self.possible - self.absence

    def rate(self, measure: str) -> Fraction | None:
        """A measure as an exact percentage, sums over sums; None when it is suppressed or unavailable.

        `measure` is one of SESSION_RATES (of possible sessions), ENROLMENT_RATES (of enrolments) or a register code.
        All-schools rows to 2024/25 of the daily series give the rate as published, an average of the phases weighted by census
        enrolments, because readers find that rate in the publication. Codes are always sums.

        Raises:
            NotOfferedError: for persistent or severe absence over a week, and severe absence in the daily series.
        """
        if measure in ENROLMENT_RATES:
            return self._of_enrolments(measure)
        if self.total_basis == WEIGHTED and measure in self.rates:
            return Fraction(Decimal(self.rates[measure]))
        count = getattr(self, measure) if measure in SESSION_RATES else self.by_code.get(measure)
        return None if count is None or not self.possible else Fraction(100 * count, self.possible)

    def rounded(self, measure: str, decimals: int = 2) -> Decimal | None:
        """A measure's percentage rounded half up, as published labels are. Raises as `rate` does."""
        exact = self.rate(measure)
        return None if exact is None else rounded(exact, decimals)

    def _of_enrolments(self, measure: str) -> Fraction | None:
        if self.period_kind == WEEK:
            message = "Persistent and severe absence are not meaningful for a week: choose the term or the year to date."
            raise NotOfferedError(message)
        if measure == "severe" and self.series == DAILY:
            message = "The daily attendance series has no severe absence: the accredited census series has."
            raise NotOfferedError(message)
        count = self.pa_count if measure == "persistent" else self.sa_count
        if count is not None and self.enrolments:
            return Fraction(100 * count) / Fraction(self.enrolments)
        return Fraction(Decimal(self.rates[measure])) if measure in self.rates else None

    @property
    def period(self) -> str:
        """The period in words: “week 45 of 2025 (3 to 7 November 2025)”."""
        days = f" ({dates_in_words(self.first_day, self.last_day)})" if self.first_day and self.last_day else ""
        year = academic_year_name(self.academic_year)
        if self.week:
            return f"{week_text(self.week)}{days}"
        if self.term:
            return f"{self.term.lower()} {'terms' if ' and ' in self.term else 'term'} {year}{days}"
        return f"{year} year to date{days}" if self.period_kind == YEAR_TO_DATE else f"{year} full year"

    @property
    def label(self) -> str:
        """The figure in one line to show below it: place, phase, period, series, release, date."""
        basis = " Averaged over phases by census enrolments." if self.total_basis == WEIGHTED else ""
        return (
            f"{self.geography_name}, {PHASES[self.phase]}, {self.period}: {SERIES_LABELS[self.series]}, "
            f"{self.release}, {date_phrase(self.published_on, copied=self.is_copy_date)}.{basis}"
        )

    @property
    def why_empty(self) -> str | None:
        """Why there is no number; None when there is one."""
        if self.status == PUBLISHED:
            return None
        if self.status == SUPPRESSED:
            return "Not published: one school alone reports in this area and phase."
        return "Not available in the published file."


@dataclass(frozen=True, slots=True)
class SameWeek:
    """The same ISO week a year before. `benchmark` is None when nothing is published, and `sentence` says so."""

    week: date
    matched: date | None
    benchmark: Benchmark | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Latest:
    """The last published week of the daily series, and the last day of that year's year to date."""

    academic_year: int
    first_week: date
    last_week: date
    year_to_date_to: date | None

    @property
    def sentence(self) -> str:
        """The published weeks in a sentence.

        “Latest published: 2025/26, weeks 37 to 45 (8 September to 7 November 2025).”
        """
        weeks = week_span_text(self.first_week, self.last_week)
        days = dates_in_words(self.first_week, self.last_week + FRIDAY)
        return f"Latest published: {academic_year_name(self.academic_year)}, {weeks} ({days})."


@dataclass(frozen=True, slots=True)
class ReleaseSummary:
    """A release and what it covers, for the list and its page. `own`: only the authority that loaded it sees it."""

    id: UUID
    name: str
    series: str
    published_on: date
    is_copy_date: bool
    file_name: str
    figures: int
    left_out: int
    notes: tuple[str, ...]
    bundled: bool
    own: bool
    covers: tuple[str, ...]

    @property
    def series_label(self) -> str:
        """The series it belongs to."""
        return SERIES_LABELS[self.series]

    @property
    def dated(self) -> str:
        """When it was published, or copied."""
        return date_phrase(self.published_on, copied=self.is_copy_date)


#: From a Monday to its Friday.
FRIDAY = timedelta(days=4)


def date_phrase(on: date, *, copied: bool) -> str:
    """“published 20 November 2025”, or “copied …” where the day of publication is not known."""
    return f"{'copied' if copied else 'published'} {date_in_words(on)}"


def week_text(monday: date) -> str:
    """“week 45 of 2025”: weeks are numbered as ISO 8601 numbers them."""
    year, number, _ = monday.isocalendar()
    return f"week {number} of {year}"


def week_span_text(first: date, last: date) -> str:
    """“weeks 37 to 45”."""
    numbers = (first.isocalendar()[1], last.isocalendar()[1])
    return f"week {numbers[0]}" if first == last else f"weeks {numbers[0]} to {numbers[1]}"


def by_period(figures: Iterable[Benchmark]) -> Mapping[str, Mapping[str, Benchmark]]:
    """Figures arranged for a table by period in words, then phase. Keeps their order."""
    arranged: dict[str, dict[str, Benchmark]] = {}
    for figure in figures:
        arranged.setdefault(figure.period, {})[figure.phase] = figure
    return arranged
