"""Laws of pages: an empty cell erases nothing, reverting touches one upload only, storing loses nothing."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from portal.registers.domain.pages import (
    CODE_BYTES,
    SESSIONS,
    difference,
    extended,
    merged,
    packed,
    reverted,
    session_days,
    side_by_side,
    unpacked,
)
from portal.rules.codes import CODES_BY_BYTE, Category


def pages(max_lines: int = 5) -> st.SearchStrategy[np.ndarray]:
    """Small pages of any length, with many empty cells."""
    cells = st.one_of(st.just(0), st.sampled_from([32, 33, 34, 96, 128, 129]))
    return st.integers(0, max_lines).flatmap(lambda lines: hnp.arrays(np.uint8, (lines, SESSIONS), elements=cells))


def are_equal(first: np.ndarray, second: np.ndarray) -> bool:
    """Do two pages have the same marks, apart from empty lines at the end?"""
    lines = max(len(first), len(second))
    return bool((extended(first, lines) == extended(second, lines)).all())


@given(pages(), pages())
def test_an_empty_cell_never_erases_and_a_mark_always_wins(before: np.ndarray, incoming: np.ndarray) -> None:
    after = merged(before, incoming)
    lines = len(after)
    existing, new = extended(before, lines), extended(incoming, lines)
    assert lines == max(len(before), len(incoming))
    assert (after[new != 0] == new[new != 0]).all()
    assert (after[new == 0] == existing[new == 0]).all()


@given(pages(), pages())
def test_writing_marks_twice_equals_writing_them_once(before: np.ndarray, incoming: np.ndarray) -> None:
    once = merged(before, incoming)
    assert difference(once, merged(once, incoming)).line.size == 0


@given(pages(), pages())
def test_reverting_the_last_upload_restores_the_page_before(before: np.ndarray, incoming: np.ndarray) -> None:
    written = merged(before, incoming)
    assert are_equal(reverted(before, written, written), before)


@given(pages(), pages(), pages())
def test_reverting_keeps_what_was_changed_later(before: np.ndarray, incoming: np.ndarray, later: np.ndarray) -> None:
    written = merged(before, incoming)
    now = merged(written, later)
    after = reverted(before, written, now)
    lines = len(after)
    old, own, present = (extended(page, lines) for page in (before, written, now))
    is_untouched = (old != own) & (present == own)
    assert (after[is_untouched] == old[is_untouched]).all()
    assert (after[~is_untouched] == present[~is_untouched]).all()


@given(pages(), pages(), pages())
def test_reverting_two_uploads_restores_the_first_page(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> None:
    after_second = merged(first, second)
    after_third = merged(after_second, third)
    assert are_equal(reverted(first, after_second, reverted(after_second, after_third, after_third)), first)


@given(pages())
def test_storing_a_page_loses_nothing_but_empty_lines_at_the_end(page: np.ndarray) -> None:
    stored = unpacked(packed(page))
    assert are_equal(stored, page)
    assert len(stored) == 0 or stored[-1].any()


@given(pages(), pages())
def test_applying_a_difference_gives_the_other_page(before: np.ndarray, after: np.ndarray) -> None:
    change = difference(before, after)
    lines = max(len(before), len(after))
    page = extended(before, lines).copy()
    assert (page[change.line, change.session] == change.before).all()
    page[change.line, change.session] = change.after
    assert (page == extended(after, lines)).all()
    assert (change.before != change.after).all()


@given(st.lists(pages(), min_size=1, max_size=4), st.integers(0, 5))
def test_weeks_side_by_side_stay_in_order(weeks: list[np.ndarray], lines: int) -> None:
    mondays = [date(2026, 9, 7 + 7 * index) for index in range(len(weeks))]
    joined = side_by_side(list(zip(mondays, weeks, strict=True)), lines)
    for index, page in enumerate(weeks):
        assert are_equal(joined[:, index * SESSIONS : (index + 1) * SESSIONS], page[:lines])
    assert session_days(mondays)[[0, 1, 13]].tolist() == [date(2026, 9, 7), date(2026, 9, 7), date(2026, 9, 13)]


def test_a_marks_top_three_bits_are_its_class() -> None:
    assert [int(byte) >> 5 for byte in CODE_BYTES] == [int(CODES_BY_BYTE[int(byte)].category) for byte in CODE_BYTES]
    assert [CODES_BY_BYTE[int(byte)].letters for byte in CODE_BYTES[:3]] == ["/", "\\", "L"]
    assert CODES_BY_BYTE[int(CODE_BYTES[0])].category is Category.PRESENT
