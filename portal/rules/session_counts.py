"""Counts of a register's codes, and the rates that follow from them.

Sums come first: a rate is worked out from whole numbers of sessions, never as a mean of rates, and is rounded last,
half up as DfE does. The formulae are those of DfE's "Pupil attendance in schools" and "Pupil absence in schools in
England" (methodology, 2025/26).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from portal.rules.codes import CODES_BY_BYTE, CODES_BY_SYMBOL, Category, is_mark
from portal.rules.explanations import Fact, Source, pluralise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METHODOLOGY = Source("DfE, Pupil attendance in schools: methodology", "rates are sums of sessions over sums of possible sessions")
LATE_BEFORE = CODES_BY_SYMBOL["L"].byte
LATE_AFTER = CODES_BY_SYMBOL["U"].byte


def rounded(rate: Fraction, decimals: int) -> Decimal:
    """A rate rounded half up, as DfE publishes: 6.25 gives 6.3 to one decimal, and -6.25 gives -6.3.

    Half is rounded away from zero, as spreadsheets and Decimal's ROUND_HALF_UP do, so that a gap is the same number
    of points whichever of two schools is looked at.
    """
    # Not Python's round(), which rounds half to even and would give 6.2.
    units = (2 * abs(rate.numerator) * 10**decimals + rate.denominator) // (2 * rate.denominator)
    return Decimal(units if rate >= 0 else -units).scaleb(-decimals)


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """Counts of marks by code byte, as sorted pairs.

    Byte 0 stands for a session without a mark: it is counted as `missing` and is in no rate. # and Z are no marks, and
    count as it does.
    """

    counts: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, marks: Iterable[int]) -> SessionCounts:
        """Count the bytes of any number of marks. Raises ValueError for a byte that is no code."""
        return cls.from_counts(Counter(marks))

    @classmethod
    def of_codes(cls, marks: Iterable[str]) -> SessionCounts:
        """Count marks given as the code list writes them. Raises KeyError for any added string."""
        return cls.from_counts({CODES_BY_SYMBOL[symbol].byte: number for symbol, number in Counter(marks).items()})

    @classmethod
    def from_counts(cls, counts: Mapping[int, int]) -> SessionCounts:
        """Session counts from counts by byte."""
        unknown = sorted(byte for byte in counts if byte and byte not in CODES_BY_BYTE)
        if unknown:
            message = f"These bytes are no codes: {unknown}."
            raise ValueError(message)
        marks = {byte: number for byte, number in counts.items() if is_mark(byte)}
        marks[0] = sum(counts.values()) - sum(marks.values())
        # Zero counts are left out, so that the same sessions compare equal.
        return cls(tuple(sorted((byte, number) for byte, number in marks.items() if number)))

    def __add__(self, added: SessionCounts) -> SessionCounts:
        """Both counts, added code by code."""
        return SessionCounts.from_counts(Counter(dict(self.counts)) + Counter(dict(added.counts)))

    def count(self, symbol: str) -> int:
        """The number of marks of one code."""
        return dict(self.counts).get(CODES_BY_SYMBOL[symbol].byte, 0)

    def _count_in(self, category: Category) -> int:
        # A code's class is in the top three bits of its byte.
        return sum(number for byte, number in self.counts if byte >> 5 == category)

    @property
    def present(self) -> int:
        """Sessions marked with a slash, a backslash or L."""
        return self._count_in(Category.PRESENT)

    @property
    def approved(self) -> int:
        """Sessions at an approved educational activity."""
        return self._count_in(Category.APPROVED)

    @property
    def attended(self) -> int:
        """Sessions present or at an approved educational activity."""
        return self.present + self.approved

    @property
    def authorised(self) -> int:
        """Sessions of authorised absence."""
        return self._count_in(Category.AUTHORISED)

    @property
    def unauthorised(self) -> int:
        """Sessions of unauthorised absence."""
        return self._count_in(Category.UNAUTHORISED)

    @property
    def absent(self) -> int:
        """Sessions missed, authorised or not."""
        return self.authorised + self.unauthorised

    @property
    def possible(self) -> int:
        """Possible sessions: attended or missed. Never D, Q, X, Y, Z, # or a missing mark."""
        return self.attended + self.absent

    @property
    def not_possible(self) -> int:
        """Marks that are not possible sessions, such as D, Q, X and Y."""
        return self._count_in(Category.NOT_POSSIBLE)

    @property
    def missing(self) -> int:
        """Sessions with no mark."""
        return dict(self.counts).get(0, 0)

    @property
    def late_before(self) -> int:
        """Sessions late before the register closed (L): present."""
        return dict(self.counts).get(LATE_BEFORE, 0)

    @property
    def late_after(self) -> int:
        """Sessions late after the register closed (U): unauthorised absence."""
        return dict(self.counts).get(LATE_AFTER, 0)

    @property
    def late(self) -> int:
        """DfE's late sessions: L and U together, so they span present and unauthorised."""
        return self.late_before + self.late_after

    def rate(self, sessions: int) -> Fraction | None:
        """Sessions as an unrounded percentage of those possible. None when none was possible."""
        return Fraction(100 * sessions, self.possible) if self.possible else None

    @property
    def attendance(self) -> Fraction | None:
        """Attendance as an unrounded percentage."""
        return self.rate(self.attended)

    @property
    def overall_absence(self) -> Fraction | None:
        """Overall absence as an unrounded percentage. It and attendance add up to exactly 100."""
        return self.rate(self.absent)

    @property
    def authorised_absence(self) -> Fraction | None:
        """Authorised absence as an unrounded percentage."""
        return self.rate(self.authorised)

    @property
    def unauthorised_absence(self) -> Fraction | None:
        """Unauthorised absence as an unrounded percentage."""
        return self.rate(self.unauthorised)

    def rate_of(self, symbol: str) -> Fraction | None:
        """One code's sessions as an unrounded percentage of those possible."""
        return self.rate(self.count(symbol))

    @property
    def sentence(self) -> str:
        """The counts in plain words."""
        attendance = self.attendance
        if attendance is None:
            return "There are no possible sessions to count."
        return (
            f"Attended {self.attended} of {pluralise(self.possible, 'possible session')} "
            f"({rounded(attendance, 1)}%) and missed {self.absent}: "
            f"{self.authorised} authorised, {self.unauthorised} unauthorised."
        )

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The counts behind the rates, then the count of each code."""
        totals = (
            ("Possible sessions", self.possible),
            ("Present", self.present),
            ("Approved educational activity", self.approved),
            ("Authorised absence", self.authorised),
            ("Unauthorised absence", self.unauthorised),
            ("Late before the register closed", self.late_before),
            ("Late after the register closed", self.late_after),
            ("Not possible sessions", self.not_possible),
            ("No mark", self.missing),
        )
        codes = ((f"Code {CODES_BY_BYTE[byte].letters}", number) for byte, number in self.counts if byte)
        return tuple(Fact(label, str(number)) for label, number in (*totals, *codes))

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the formulae come from."""
        return (METHODOLOGY,)
