"""Lookups: what each distinct text means, worked out once, as arrays that whole columns are looked up in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.uploads.reading.dates import DateReader
from portal.uploads.reading.gathering import Distinct
from portal.uploads.reading.identities import identities
from portal.uploads.reading.marks import MISSING, minutes_of, one_session, whole_day
from portal.uploads.reading.synonyms import session_of
from portal.uploads.reading.texts import as_given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from portal.uploads.reading.gathering import Gathered, Slot
    from portal.uploads.reading.headings import Heading
    from portal.uploads.reading.limits import Limits

BAD, BLANK = -1, -2
_SUNDAY = 6
NO_DATE = "This row has no date. Enter the date as day, month and year, such as 07/09/2026."
NO_SESSION = "This row does not say which session it is for. Enter AM or PM."
BAD_SESSION = "Enter AM or PM for the session."
BAD_WEEK = "A week begins on a Monday, and this date is a Sunday. Enter the Monday the week begins on."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a text has no meaning: the slug, and the sentence that says what to do."""

    kind: str
    sentence: str


class Lookups:
    """The meaning of every distinct text gathered. Arrays hold BAD where there is a reason, BLANK where nothing is said."""

    def __init__(self, gathered: Gathered, headings: Sequence[Heading]) -> None:
        self.gathered = gathered
        self.identities = identities(gathered.pupil)  # type: ignore[arg-type]  # pupil texts are tuples, always
        self.codes = Distinct()
        self._read_days(headings)
        self._read_sessions()
        self._read_codes(headings)
        self.minutes = [minutes_of(str(text)) for text in gathered.minutes]
        self.comments = [as_given(str(text))[:2000] or None for text in gathered.comment]
        self.has_minutes = np.array([one is not None for one in self.minutes], dtype=bool)
        self.has_comment = np.array([one is not None for one in self.comments], dtype=bool)

    def _read_days(self, headings: Sequence[Heading]) -> None:
        years = {heading.academic_year for heading in headings}
        self.days = DateReader(academic_year=years.pop() if len(years) == 1 else None)
        texts = [str(text) for text in self.gathered.date]
        self.days.see(texts)
        self.days.see(slot.day for heading in headings for slot in heading.slots if slot.day)
        self.day = np.full(len(texts), BLANK, dtype=np.int64)
        self.day_reason: dict[int, Reason] = {}
        for number, text in enumerate(texts):
            found = self.days.read(text)
            if found.on is not None:
                self.day[number] = found.on.toordinal()
            elif found.problem:
                self.day[number] = BAD
                self.day_reason[number] = Reason(found.kind or "unreadable-date", found.problem)
        self.week = self.day.copy()
        for number in np.flatnonzero(self.day > 0).tolist():
            self.week[number] = self.monday(int(self.day[number]))

    @staticmethod
    def monday(ordinal: int) -> int:
        """The Monday of a day's week; BAD for a Sunday, which may belong to either."""
        weekday = (ordinal - 1) % 7
        return BAD if weekday == _SUNDAY else ordinal - weekday

    def slot_day(self, slot: Slot) -> int | Reason | None:
        """The day a header names, as an ordinal, or why it cannot be told; None for a slot whose rows name the day."""
        if slot.day is None:
            return None
        found = self.days.read(slot.day)
        if found.on is not None:
            return found.on.toordinal()
        return Reason(found.kind or "unreadable-date", found.problem or NO_DATE)

    def _read_sessions(self) -> None:
        texts = [str(text) for text in self.gathered.session]
        self.session = np.full(len(texts), BLANK, dtype=np.int64)
        for number, text in enumerate(texts):
            found = session_of(text)
            if found is not None:
                self.session[number] = found
            elif text.strip():
                self.session[number] = BAD

    def _read_codes(self, headings: Sequence[Heading]) -> None:
        texts = [str(text) for text in self.gathered.code]
        days = any(slot.session is None and not slot.by_row for heading in headings for slot in heading.slots)
        self.one = np.full(len(texts), BLANK, dtype=np.int64)
        self.halves = np.full((2, len(texts)), BLANK, dtype=np.int64)
        self.one_reason: dict[int, Reason] = {}
        self.day_code_reason: dict[int, Reason] = {}
        self.code_minutes: dict[int, int] = {}
        for number, text in enumerate(texts):
            read = one_session(text)
            self.one[number] = self._code(read.parts[0], bad=read.problem is not None)
            if read.problem:
                self.one_reason[number] = Reason(read.kind or "two-codes", read.problem)
            if read.minutes:
                self.code_minutes[number] = read.minutes
            if days:
                self._read_whole_day(number, text)
        self.has_code_minutes = np.zeros(len(texts), dtype=bool)
        self.has_code_minutes[list(self.code_minutes)] = True

    def _read_whole_day(self, number: int, text: str) -> None:
        read = whole_day(text)
        if read.problem:
            self.halves[0, number] = BAD
            self.day_code_reason[number] = Reason(read.kind or "codes-not-split", read.problem)
        else:
            self.halves[:, number] = [self._code(part) for part in read.parts]

    def _code(self, text: str, *, bad: bool = False) -> int:
        if bad:
            return BAD
        place = self.codes[text]
        return BLANK if text in MISSING else place

    def too_many_codes(self, limits: Limits) -> bool:
        """So many different texts that the column can hardly be one of codes."""
        return len(self.codes) > limits.distinct_codes
