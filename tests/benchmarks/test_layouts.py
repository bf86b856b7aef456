"""The table of column names: every meaning in it is one the program knows."""

from __future__ import annotations

from itertools import chain

from portal.benchmarks.domain import layouts
from portal.benchmarks.domain.figures import AUTHORITY, NATIONAL, PHASES, REGION

KNOWN = {*layouts.COUNTS, *layouts.MEANS, "on time"}


def test_levels_phases_and_symbols_are_known() -> None:
    assert set(layouts.LEVELS.values()) == {NATIONAL, REGION, AUTHORITY}
    assert set(layouts.PHASE_BY_PUBLISHED_NAME.values()) == set(PHASES)
    assert set(layouts.SYMBOLS.values()) == {"c", "x", "z", "low"}


def test_every_column_of_a_layout_is_a_count_a_mean_a_code_or_a_rate() -> None:
    """A misspelt meaning would load as a column that nothing reads."""
    names = set(chain.from_iterable(layout.columns.values() for layout in layouts.LAYOUTS))
    assert {name for name in names - KNOWN if not name.startswith(("code ", "rate "))} == set()


def test_column_names_are_written_as_they_are_compared() -> None:
    """A name with a capital letter or a space would never be found."""
    names = [*layouts.BREAKDOWNS, *chain.from_iterable(layout.columns for layout in layouts.LAYOUTS)]
    assert [name for name in names if layouts.normalised(name) != name] == []
