"""The laws of pages: nothing is erased by saying nothing, an undo takes back its own and no more, storing loses nothing."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from portal.registers.pages import (
    CODE_BYTES,
    SESSIONS,
    difference,
    extended,
    merged,
    packed,
    session_days,
    side_by_side,
    undone,
    unpacked,
)
from portal.rules.codes import BY_BYTE, Category


def pages(most: int = 5) -> st.SearchStrategy[np.ndarray]:
    """Small pages of any length, often with nothing in a cell."""
    cells = st.one_of(st.just(0), st.sampled_from([32, 33, 34, 96, 128, 129]))
    return st.integers(0, most).flatmap(lambda lines: hnp.arrays(np.uint8, (lines, SESSIONS), elements=cells))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Do two pages say the same, lines with nothing at the end apart?"""
    lines = max(len(one), len(other))
    return bool((extended(one, lines) == extended(other, lines)).all())


@given(pages(), pages())
def test_an_empty_cell_never_erases_and_a_mark_always_stands(before: np.ndarray, arriving: np.ndarray) -> None:
    after = merged(before, arriving)
    lines = len(after)
    held, new = extended(before, lines), extended(arriving, lines)
    assert lines == max(len(before), len(arriving))
    assert (after[new != 0] == new[new != 0]).all()
    assert (after[new == 0] == held[new == 0]).all()


@given(pages(), pages())
def test_writing_the_same_marks_twice_changes_nothing_more(before: np.ndarray, arriving: np.ndarray) -> None:
    once = merged(before, arriving)
    assert difference(once, merged(once, arriving)).line.size == 0


@given(pages(), pages())
def test_undo_with_nothing_since_is_the_page_before(before: np.ndarray, arriving: np.ndarray) -> None:
    written = merged(before, arriving)
    assert same(undone(before, written, written), before)


@given(pages(), pages(), pages())
def test_undo_takes_back_what_stands_and_keeps_what_was_changed_since(
    before: np.ndarray, arriving: np.ndarray, later: np.ndarray
) -> None:
    written = merged(before, arriving)
    now = merged(written, later)
    after = undone(before, written, now)
    lines = len(after)
    old, its, present = (extended(page, lines) for page in (before, written, now))
    untouched_since = (old != its) & (present == its)
    assert (after[untouched_since] == old[untouched_since]).all()
    assert (after[~untouched_since] == present[~untouched_since]).all()


@given(pages(), pages(), pages())
def test_undoing_two_uploads_newest_first_is_the_page_before_both(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> None:
    one = merged(first, second)
    two = merged(one, third)
    assert same(undone(first, one, undone(one, two, two)), first)


@given(pages())
def test_storing_a_page_loses_nothing_but_empty_lines_at_the_end(page: np.ndarray) -> None:
    again = unpacked(packed(page))
    assert same(again, page)
    assert len(again) == 0 or again[-1].any()


@given(pages(), pages())
def test_a_difference_names_every_cell_that_differs_and_leads_from_one_page_to_the_other(
    before: np.ndarray, after: np.ndarray
) -> None:
    changed = difference(before, after)
    lines = max(len(before), len(after))
    made = extended(before, lines).copy()
    assert (made[changed.line, changed.session] == changed.before).all()
    made[changed.line, changed.session] = changed.after
    assert (made == extended(after, lines)).all()
    assert (changed.before != changed.after).all()


@given(st.lists(pages(), min_size=1, max_size=4), st.integers(0, 5))
def test_side_by_side_every_week_keeps_its_place(weeks: list[np.ndarray], lines: int) -> None:
    mondays = [date(2026, 9, 7 + 7 * place) for place in range(len(weeks))]
    whole = side_by_side(list(zip(mondays, weeks, strict=True)), lines)
    for place, page in enumerate(weeks):
        assert same(whole[:, place * SESSIONS : (place + 1) * SESSIONS], page[:lines])
    assert session_days(mondays)[[0, 1, 13]].tolist() == [date(2026, 9, 7), date(2026, 9, 7), date(2026, 9, 13)]


def test_the_class_stands_in_a_marks_top_three_bits_and_the_plain_ones_are_lowest() -> None:
    assert [int(byte) >> 5 for byte in CODE_BYTES] == [int(BY_BYTE[int(byte)].category) for byte in CODE_BYTES]
    assert [BY_BYTE[int(byte)].letters for byte in CODE_BYTES[:3]] == ["/", "\\", "L"]
    assert BY_BYTE[int(CODE_BYTES[0])].category is Category.PRESENT
