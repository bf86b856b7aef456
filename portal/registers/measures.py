"""Measures: DfE's counts and rates over any schools, days and cohorts, from the pages themselves. Sums over sums, never means."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from portal.registers import sweep
from portal.registers.pages import CODE_BYTES, SESSIONS
from portal.rules.codes import BY_BYTE
from portal.rules.tally import Tally, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from portal.registers.sheets import Sheet

By = Literal["school", "week", "year-group", "code", "month", "none"]
ALL = "all"


@dataclass(slots=True)
class Measure:
    """Counts for one group of marks, and the enrolments behind them. Every rate is made from these integers."""

    by_code: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(CODE_BYTES), dtype=np.int64))
    enrolments: int = 0
    persistently_absent: int = 0
    severely_absent: int = 0

    @property
    def tally(self) -> Tally:
        """The counts as the rules count them."""
        return Tally.from_counts(dict(zip(CODE_BYTES.tolist(), self.by_code.tolist(), strict=True)))

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        tally = self.tally
        return {
            "possible": tally.possible,
            "present": tally.present,
            "approved_educational_activity": tally.approved,
            "authorised": tally.authorised,
            "unauthorised": tally.unauthorised,
            "late": tally.late,
            "enrolments": self.enrolments,
            "persistently_absent": self.persistently_absent,
            "severely_absent": self.severely_absent,
        }

    def codes(self) -> dict[str, int]:
        """How many sessions of each code that occurs."""
        return {BY_BYTE[byte].letters: count for byte, count in self.tally.counts}

    def by_letters(self) -> list[dict[str, object]]:
        """A group for each code that occurs: its sessions, and its share of the possible ones unless it is not one of them."""
        tally = self.tally
        found: list[dict[str, object]] = []
        for byte, count in tally.counts:
            rate = tally.rate(count) if BY_BYTE[byte].possible else None
            one: dict[str, object] = {"group": BY_BYTE[byte].letters, "sessions": count, "possible": tally.possible}
            found.append(one | {"rate": _shown(rate), "rate_rounded": _shown(rate, 2)})
        return found

    def rates(self) -> dict[str, Fraction | None]:
        """The rates by name, exact; None where nothing was possible."""
        tally, of = self.tally, self.enrolments
        return {
            "attendance": tally.attendance,
            "overall_absence": tally.overall_absence,
            "authorised": tally.authorised_absence,
            "unauthorised": tally.unauthorised_absence,
            "late": tally.rate(tally.late),
            "persistent_absence": Fraction(100 * self.persistently_absent, of) if of else None,
            "severe_absence": Fraction(100 * self.severely_absent, of) if of else None,
        }


def measured(sheets: Iterable[Sheet], *, between: tuple[date, date], by: By, everyone: bool) -> dict[str, Measure]:
    """Measures by group over sheets of marks; groups are a school id, a Monday, a year group, a month, or "all".

    Headline counts only: pupils aged 5 to 15 at the start of the year, Year 11 without the weeks after the May
    half term; with `everyone`, every mark of every pupil. A roll line with a possible session in the group is one
    enrolment of it, persistently absent at 10% of its own possible sessions there and severely at 50%.
    """
    found: dict[str, Measure] = {}
    for sheet in sheets:
        chosen = sheet.columns(between)
        if not chosen.any():
            continue
        marks = sheet.counted if everyone else sheet.headline_marks
        for group, lines, columns in _groups(sheet, chosen, by):
            _add(found.setdefault(group, Measure()), marks[np.ix_(lines, columns)])
    return found


def _groups(sheet: Sheet, chosen: NDArray[np.bool_], by: By) -> Iterable[tuple[str, NDArray[np.intp], NDArray[np.intp]]]:
    every_line, columns = np.arange(len(sheet.marks)), np.flatnonzero(chosen)
    if by == "school":
        yield str(sheet.school_id), every_line, columns
    elif by == "week":
        for place in np.unique(columns // SESSIONS).tolist():
            yield sheet.weeks[place].isoformat(), every_line, columns[columns // SESSIONS == place]
    elif by == "month":
        months = sheet.days[columns].astype("datetime64[M]")
        for month in np.unique(months):
            yield str(month), every_line, columns[months == month]
    elif by == "year-group":
        groups = np.array([one or "unknown" for one in sheet.roll.year_group], dtype=object)
        for group in sorted(set(groups.tolist())):
            yield group, np.flatnonzero(groups == group), columns
    else:
        yield ALL, every_line, columns


def _add(measure: Measure, marks: NDArray[np.uint8]) -> None:
    measure.by_code += np.bincount(marks.ravel(), minlength=256)[CODE_BYTES]
    sums = sweep.sums_by_line(marks)
    measure.enrolments += int((sums.possible > 0).sum())
    measure.persistently_absent += int(sweep.persistently_absent(sums.absent, sums.possible).sum())
    measure.severely_absent += int(sweep.severely_absent(sums.absent, sums.possible).sum())


#: Spans over which persistent and severe absence say nothing: DfE gives them for a term or a year to date.
TOO_SHORT_FOR_PERSISTENCE = frozenset({"week"})


def document(group: str, measure: Measure, *, by: str, more: Mapping[str, str] | None = None) -> dict[str, object]:
    """One group as plain values: counts, counts by code, rates unrounded and rounded half up to two places.

    By week the persistent and severe counts are None: a week is too short for them to mean anything.
    """
    counts: dict[str, int | None] = {**measure.counts()}
    rates = measure.rates()
    if by in TOO_SHORT_FOR_PERSISTENCE:
        counts |= {"persistently_absent": None, "severely_absent": None}
        rates |= {"persistent_absence": None, "severe_absence": None}
    return {
        "group": group,
        **(more or {}),
        **counts,
        "codes": measure.codes(),
        "rates": {name: _shown(rate) for name, rate in rates.items()},
        "rates_rounded": {name: _shown(rate, 2) for name, rate in rates.items()},
    }


def _shown(rate: Fraction | None, places: int | None = None) -> float | None:
    """A rate as a number: the nearest to the exact one, or to the one rounded half up."""
    return None if rate is None else float(rate if places is None else rounded(rate, places))
