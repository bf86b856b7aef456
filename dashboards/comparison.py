"""A school beside its authority and the nation: like with like, sums over sums, and the gap in words."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import pandas as pd

from portal.benchmarks.figures import ENGLAND
from portal.benchmarks.queries import latest, weekly_series, year_to_date
from portal.registers.overview import AverageWeek, WeekSums, authority_weeks, school_weeks
from portal.rules.calendar import academic_year_name
from portal.rules.tally import rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from portal.benchmarks.figures import Benchmark

#: What can be compared, each with its words. `attendance` first: it is what is asked for.
MEASURES: Mapping[str, str] = {
    "attendance": "Attendance",
    "absence": "Overall absence",
    "authorised": "Authorised absence",
    "unauthorised": "Unauthorised absence",
}
#: The phase a school is compared in. DfE counts all-through schools as secondary; other phases have no published series.
PUBLISHED_PHASE = {"primary": "primary", "secondary": "secondary", "all-through": "secondary", "special": "special"}
PHASE_WORDS = {
    "primary": "primary schools",
    "secondary": "secondary schools",
    "all-through": "all-through schools",
    "special": "special schools",
    "alternative": "alternative provision",
    "nursery": "nursery schools",
}
#: Fewer schools than this behind an average, and a school's reader could work out another school's figure.
FEWEST_SCHOOLS = 3
#: An average of one school is that school: there is nothing to stand it beside.
FEWEST_TO_COMPARE = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One week of the comparison: exact rates, and how many schools the authority's rests on."""

    week: date
    school: Fraction | None
    possible: int
    authority: Fraction | None
    schools: int
    nation: Fraction | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A school's year by week and to date, with the words that go with it."""

    measure: str
    phase_words: str
    rows: tuple[Row, ...]
    school_to_date: Fraction | None
    authority_to_date: Fraction | None
    nation_to_date: Fraction | None
    schools: int
    schools_in_phase: int
    sentence: str
    nation_label: str
    nation_note: str
    has_series: bool

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as the chart takes them: week and percentages."""
        return pd.DataFrame(
            {
                "week": [row.week for row in self.rows],
                **{
                    name: [float(rate) if rate is not None else float("nan") for rate in (getattr(row, name) for row in self.rows)]
                    for name in ("school", "authority", "nation")
                },
            }
        )

    @property
    def labels(self) -> dict[str, str]:
        """What each line is called on the chart and in the table."""
        return {"school": "This school", "authority": f"LA average, {self.phase_words}", "nation": self.nation_label}


def _part(sums: WeekSums, measure: str) -> int:
    parts = {
        "attendance": sums.present + sums.approved,
        "absence": sums.authorised + sums.unauthorised,
        "authorised": sums.authorised,
        "unauthorised": sums.unauthorised,
    }
    return parts[measure]


def rate_of(sums: Sequence[WeekSums], measure: str) -> Fraction | None:
    """A measure over several weeks: the sum of its sessions over the sum of possible ones."""
    possible = sum(one.possible for one in sums)
    return Fraction(100 * sum(_part(one, measure) for one in sums), possible) if possible else None


def comparison(school_id: UUID, phase: str, academic_year: int, measure: str, *, alone: bool) -> Comparison:
    """Compare a school's weeks with its authority's average for the phase and with England.

    The authority's sums are over schools of the same phase that have marks for the same week. `alone` says the
    reader is bound to schools: an average that rests on too few others is then left out.
    """
    own = school_weeks(school_id, academic_year)
    average = {one.week: one for one in authority_weeks(phase, academic_year)}
    published = published_beside(phase, academic_year, [one.week for one in own], measure)
    fewest = FEWEST_SCHOOLS if alone else FEWEST_TO_COMPARE
    shown = {week: one for week, one in average.items() if one.schools >= fewest}
    rows = tuple(
        Row(
            one.week,
            rate_of([one], measure),
            one.possible,
            rate_of([shown[one.week].sums], measure) if one.week in shown else None,
            shown[one.week].schools if one.week in shown else 0,
            published.by_week.get(one.week),
        )
        for one in own
    )
    same = [(one, shown[one.week].sums) for one in own if one.week in shown]
    return _told((phase, academic_year, measure), own, rows, same, published, average)


@dataclass(frozen=True, slots=True)
class Published:
    """England's rates for the weeks asked for, and how they must be labelled."""

    by_week: dict[date, Fraction | None]
    to_date: Fraction | None
    label: str
    note: str


def published_beside(phase: str, academic_year: int, weeks: Sequence[date], measure: str) -> Published:
    """England's published rates for these weeks of a year; where none are out yet, those of the same weeks a year before."""
    known = PUBLISHED_PHASE.get(phase)
    if known is None:
        return Published({}, None, "England", "The Department for Education publishes no series for this phase.")
    this_year = {one.week: one for one in weekly_series(ENGLAND, known, academic_year) if one.week}
    if this_year:
        by_week = {week: _rate(this_year[week], measure) if week in this_year else None for week in weeks}
        to_date, note = _to_date(known, academic_year, measure)
        return Published(by_week, to_date, f"England, {PHASE_WORDS[known]}", note)
    last_year = {one.week.isocalendar()[1]: one for one in weekly_series(ENGLAND, known, academic_year - 1) if one.week}
    matched = {week: last_year.get(week.isocalendar()[1]) for week in weeks}
    found = [one for one in matched.values() if one is not None]
    newest = latest()
    note = newest.sentence if newest else "No published figures have been loaded."
    if not found:
        return Published({}, None, f"England, {PHASE_WORDS[known]}", note)
    by_week = {week: _rate(one, measure) if one is not None else None for week, one in matched.items()}
    source = f"{note} The England line shows the same weeks of last year: DfE, daily attendance series, {found[-1].release}."
    return Published(by_week, None, f"England, {PHASE_WORDS[known]}, same weeks last year", source)


def _to_date(phase: str, academic_year: int, measure: str) -> tuple[Fraction | None, str]:
    found = year_to_date(ENGLAND, phase, academic_year)
    if found is None or found.first_day is None or found.last_day is None:
        return None, "DfE, daily attendance series."
    span = f"{found.first_day:%-d %B %Y} to {found.last_day:%-d %B %Y}"
    return _rate(found, measure), f"DfE, daily attendance series, {found.release}. England's year to date runs from {span}."


def _rate(found: Benchmark, measure: str) -> Fraction | None:
    return found.rate(measure)


def _told(
    asked: tuple[str, int, str],
    own: Sequence[WeekSums],
    rows: tuple[Row, ...],
    same: Sequence[tuple[WeekSums, WeekSums]],
    published: Published,
    average: Mapping[date, AverageWeek],
) -> Comparison:
    phase, academic_year, measure = asked
    newest = own[-1].week if own else None
    schools, in_phase = (average[newest].schools, average[newest].schools_in_phase) if newest and newest in average else (0, 0)
    to_date, authority = rate_of(own, measure), rate_of([sums for _, sums in same], measure)
    beside = rate_of([one for one, _ in same], measure)
    return Comparison(
        measure=measure,
        phase_words=PHASE_WORDS[phase],
        rows=rows,
        school_to_date=to_date,
        authority_to_date=authority,
        nation_to_date=published.to_date,
        schools=schools,
        schools_in_phase=in_phase,
        sentence=sentence(
            to_date, (beside, authority), rows, PHASE_WORDS[phase], f"{MEASURES[measure]} in {academic_year_name(academic_year)}"
        ),
        nation_label=published.label,
        nation_note=published.note,
        has_series=phase in PUBLISHED_PHASE,
    )


def sentence(
    school: Fraction | None, both: tuple[Fraction | None, Fraction | None], rows: Sequence[Row], phase_words: str, name: str
) -> str:
    """The finding: the year to date (`name` says of what), the gap to the LA average, and the gap of the newest week and before.

    `both` are the school's rate and the average over the weeks that both have: a week only the school has sent is in no gap.
    """
    beside, authority = both
    if school is None:
        return "There are no marks for this year yet."
    told = f"{name} is {rounded(school, 1)}%"
    if beside is None or authority is None:
        return f"{told}. The LA average is not shown, because too few schools of its phase have sent marks."
    over = "" if beside == school else ", over the weeks both have"
    return f"{told}: {gap_words(beside, authority)} the LA average for {phase_words}{over}.{_moved(rows)}"


def shown_rate(rate: Fraction | None) -> str | None:
    """A rate as the pages show it: one decimal place, half up; None where there is none."""
    return f"{rounded(rate, 1)}%" if rate is not None else None


def gap_words(school: Fraction, other: Fraction) -> str:
    """The difference of two figures as shown, so that readers can check it: "2.1 percentage points above", "the same as"."""
    gap = rounded(school, 1) - rounded(other, 1)
    if gap == 0:
        return "the same as"
    return f"{abs(gap)} percentage {'point' if abs(gap) == 1 else 'points'} {'above' if gap > 0 else 'below'}"


def _moved(rows: Sequence[Row], weeks: int = 4) -> str:
    """The gap of the newest week, and how it has moved in four school weeks, as a sentence; nothing while there are too few."""
    both = [(row.week, row.school, row.authority) for row in rows if row.school is not None and row.authority is not None]
    if len(both) <= weeks:
        return ""
    (week, school, authority), (_, school_then, authority_then) = both[-1], both[-1 - weeks]
    moved = rounded(school, 1) - rounded(authority, 1) - (rounded(school_then, 1) - rounded(authority_then, 1))
    now = gap_words(school, authority).removesuffix(" as")
    how = f"{abs(moved)} {'higher' if moved > 0 else 'lower'} than" if moved else "as it was"
    return f" In the week of {week:%-d %B} it was {now}: a gap {how} four school weeks earlier."
