"""DfE's measures over any schools, days and groups, counted from the pages.

Rates are sums over sums, never means of rates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from portal.registers.domain import vectorised
from portal.registers.domain.pages import CODE_BYTES, SESSIONS
from portal.rules.codes import CODES_BY_BYTE
from portal.rules.session_counts import SessionCounts, rounded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from portal.registers.domain.year_register import YearRegister

By = Literal["school", "week", "year-group", "code", "month", "none"]
ALL = "all"


@dataclass(slots=True)
class Measure:
    """Counts for one group of marks and its enrolments. Every rate is made from these integers."""

    by_code: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(CODE_BYTES), dtype=np.int64))
    enrolments: int = 0
    persistently_absent: int = 0
    severely_absent: int = 0

    @property
    def sessions(self) -> SessionCounts:
        """The sessions by code, as the rules count them."""
        return SessionCounts.from_counts(dict(zip(CODE_BYTES.tolist(), self.by_code.tolist(), strict=True)))

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        sessions = self.sessions
        return {
            "possible": sessions.possible,
            "present": sessions.present,
            "approved_educational_activity": sessions.approved,
            "authorised": sessions.authorised,
            "unauthorised": sessions.unauthorised,
            "late": sessions.late,
            "enrolments": self.enrolments,
            "persistently_absent": self.persistently_absent,
            "severely_absent": self.severely_absent,
        }

    def codes(self) -> dict[str, int]:
        """The number of sessions of each code that occurs."""
        return {CODES_BY_BYTE[byte].letters: count for byte, count in self.sessions.counts}

    def rows_by_code(self) -> list[dict[str, object]]:
        """A row for each code that occurs: its sessions and its share of the possible ones.

        A code that is not a possible session has no share.
        """
        sessions = self.sessions
        rows: list[dict[str, object]] = []
        for byte, count in sessions.counts:
            rate = sessions.rate(count) if CODES_BY_BYTE[byte].possible else None
            row: dict[str, object] = {"group": CODES_BY_BYTE[byte].letters, "sessions": count, "possible": sessions.possible}
            rows.append(row | {"rate": _as_float(rate), "rate_rounded": _as_float(rate, 2)})
        return rows

    def rates(self) -> dict[str, Fraction | None]:
        """The exact rates by name; None where no session was possible."""
        sessions, enrolments = self.sessions, self.enrolments
        return {
            "attendance": sessions.attendance,
            "overall_absence": sessions.overall_absence,
            "authorised": sessions.authorised_absence,
            "unauthorised": sessions.unauthorised_absence,
            "late": sessions.rate(sessions.late),
            "persistent_absence": Fraction(100 * self.persistently_absent, enrolments) if enrolments else None,
            "severe_absence": Fraction(100 * self.severely_absent, enrolments) if enrolments else None,
        }


def measured(registers: Iterable[YearRegister], *, between: tuple[date, date], by: By, everyone: bool) -> dict[str, Measure]:
    """Measures by group over year registers.

    Groups are a school id, a Monday, a year group, a month, or "all". Only headline marks count: pupils aged 5 to 15 at the
    start of the year, Year 11 to the end of the summer term's first half. With `everyone`, every mark of every pupil. A roll
    line with a possible session in the group is one enrolment, persistently absent at 10% of its own possible sessions
    there and severely at 50%.
    """
    measures: dict[str, Measure] = {}
    for register in registers:
        is_chosen = register.columns(between)
        if not is_chosen.any():
            continue
        marks = register.counted if everyone else register.headline_marks
        for group, lines, columns in _groups(register, is_chosen, by):
            _add(measures.setdefault(group, Measure()), marks[np.ix_(lines, columns)])
    return measures


def _groups(
    register: YearRegister, is_chosen: NDArray[np.bool_], by: By
) -> Iterable[tuple[str, NDArray[np.intp], NDArray[np.intp]]]:
    all_lines, columns = np.arange(len(register.marks)), np.flatnonzero(is_chosen)
    if by == "school":
        yield str(register.school_id), all_lines, columns
    elif by == "week":
        for week in np.unique(columns // SESSIONS).tolist():
            yield register.weeks[week].isoformat(), all_lines, columns[columns // SESSIONS == week]
    elif by == "month":
        months = register.days[columns].astype("datetime64[M]")
        for month in np.unique(months):
            yield str(month), all_lines, columns[months == month]
    elif by == "year-group":
        groups = np.array([group or "unknown" for group in register.roll.year_group], dtype=object)
        for group in sorted(set(groups.tolist())):
            yield group, np.flatnonzero(groups == group), columns
    else:
        yield ALL, all_lines, columns


def _add(measure: Measure, marks: NDArray[np.uint8]) -> None:
    measure.by_code += np.bincount(marks.ravel(), minlength=256)[CODE_BYTES]
    sums = vectorised.sums_by_line(marks)
    measure.enrolments += int((sums.possible > 0).sum())
    measure.persistently_absent += int(vectorised.persistently_absent(sums.absent, sums.possible).sum())
    measure.severely_absent += int(vectorised.severely_absent(sums.absent, sums.possible).sum())


#: Spans too short for persistent and severe absence: DfE publishes them for a term or a year to date.
TOO_SHORT_FOR_PERSISTENCE = frozenset({"week"})


def document(group: str, measure: Measure, *, by: str, extra: Mapping[str, str] | None = None) -> dict[str, object]:
    """One group as plain values: counts, counts by code, and rates, both exact and rounded.

    By week the persistent and severe counts are None: a week is too short for them to mean anything.
    """
    counts: dict[str, int | None] = {**measure.counts()}
    rates = measure.rates()
    if by in TOO_SHORT_FOR_PERSISTENCE:
        counts |= {"persistently_absent": None, "severely_absent": None}
        rates |= {"persistent_absence": None, "severe_absence": None}
    return {
        "group": group,
        **(extra or {}),
        **counts,
        "codes": measure.codes(),
        "rates": {name: _as_float(rate) for name, rate in rates.items()},
        "rates_rounded": {name: _as_float(rate, 2) for name, rate in rates.items()},
    }


def _as_float(rate: Fraction | None, decimals: int | None = None) -> float | None:
    """A rate as a float, exact or first rounded half up."""
    return None if rate is None else float(rate if decimals is None else rounded(rate, decimals))
