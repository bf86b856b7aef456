"""Counts and rates from the command line are those of an independent recount, for every grouping, span and population."""

from __future__ import annotations

from datetime import date

import pytest

from tests.commands import county, reference
from tests.commands.conftest import SLUG, Terminal

WHERE = ("--authority", SLUG)
SPANS = (
    (None, None),
    (date(2025, 9, 3), date(2026, 6, 4)),
    (date(2025, 9, 10), date(2025, 9, 11)),
    (date(2026, 5, 20), date(2026, 6, 2)),
    (date(2024, 9, 1), date(2025, 8, 31)),
)


@pytest.fixture(scope="module")
def marks(terminal: Terminal) -> list[reference.Mark]:
    """The county's marks, sent as a data team would send them: schools, dates, pupils, marks of each year."""
    terminal.done("authority", "add", SLUG, "--name", "Northshire", "--la-code", "001")
    terminal.done("schools", "import", *WHERE, terminal.file("schools.csv", county.school_list()))
    terminal.done("term-dates", "import", *WHERE, terminal.file("terms.csv", county.term_list()))
    own = terminal.file("own.csv", county.own_closed_days())
    terminal.done("term-dates", "import", *WHERE, "--school", "999103", own)
    held = county.marks()
    for urn, *_ in county.SCHOOLS:
        for year in (2023, 2024, 2025, 2026):
            pupils = terminal.file("pupils.csv", county.pupil_list(urn, year))
            terminal.done("pupils", "import", *WHERE, "--school", urn, "--academic-year", year, pupils)
            its = [one for one in held if one.urn == urn and reference.year_of(one.on) == year]
            terminal.file(f"{year}/{urn}.csv", county.long_file(its))
    for year in (2023, 2024, 2025, 2026):
        sent = terminal.done("marks", "import", *WHERE, "--by-filename", terminal.folder / str(year))
        assert sent["rows_refused"] == 0, [one["problems"] for one in sent["files"]]
        assert sent["rows_in"] == sent["rows_stored"] == sum(1 for one in held if reference.year_of(one.on) == year)
    return held


def compare(told: list[dict[str, object]], expected: dict[str, dict[str, object]]) -> None:
    """Every count and every rate of every group, exactly."""
    assert {str(one["group"]) for one in told} == expected.keys()
    for one in told:
        own = expected[str(one["group"])]
        assert {name: one[name] for name in own} == own
        rates = reference.rates(own)
        assert one["rates"] == {name: None if rate is None else float(rate) for name, rate in rates.items()}
        assert one["rates_rounded"] == {name: None if rate is None else reference.half_up(rate) for name, rate in rates.items()}


@pytest.mark.parametrize("everyone", [False, True])
@pytest.mark.parametrize("by", ["none", "school", "week", "month", "year-group"])
def test_every_count_is_that_of_the_recount(terminal: Terminal, marks: list[reference.Mark], by: str, everyone: bool) -> None:
    for first, last in SPANS:
        span = ["--from", str(first), "--to", str(last)] if first else []
        told = terminal.done("measures", *WHERE, "--by", by, *span, *(["--include-all-ages"] if everyone else []))
        chosen = [
            one for one in marks
            if (first is None or first <= one.on <= last) and (everyone or reference.is_headline(one, county.AFTER_MAY))
        ]  # fmt: skip
        compare(told["groups"], reference.counted(chosen, by))


@pytest.mark.parametrize("phase", ["primary", "all-through", "special"])
def test_a_phase_is_its_schools_alone(terminal: Terminal, marks: list[reference.Mark], phase: str) -> None:
    urns = {urn for urn, _, its, *_ in county.SCHOOLS if its == phase}
    chosen = [one for one in marks if one.urn in urns and reference.is_headline(one, county.AFTER_MAY)]
    compare(terminal.done("measures", *WHERE, "--phase", phase.title())["groups"], reference.counted(chosen, "none"))
    (urn,) = urns
    compare(terminal.done("measures", *WHERE, "--school", urn)["groups"], reference.counted(chosen, "none"))


def test_by_code_says_each_code_and_its_share(terminal: Terminal, marks: list[reference.Mark]) -> None:
    told = terminal.done("measures", *WHERE, "--by", "code", "--include-all-ages")["groups"]
    whole = reference.counted(marks, "none")["all"]
    assert {one["group"]: one["sessions"] for one in told} == whole["codes"]
    shares = {one["group"]: one["rate"] for one in told}
    assert {one["possible"] for one in told} == {whole["possible"]}
    assert {group for group, share in shares.items() if share is None} == {"D", "Q", "X", "Y", *(f"Y{n}" for n in range(1, 8))}
    assert sum(share for share in shares.values() if share is not None) == pytest.approx(100)


def test_parts_make_the_whole(terminal: Terminal, marks: list[reference.Mark]) -> None:
    (whole,) = terminal.done("measures", *WHERE)["groups"]
    for by in ("school", "week", "month", "year-group"):
        groups = terminal.done("measures", *WHERE, "--by", by)["groups"]
        for name in ("possible", "present", "approved_educational_activity", "authorised", "unauthorised", "late"):
            assert sum(one[name] for one in groups) == whole[name]
    parts = ("present", "approved_educational_activity", "authorised", "unauthorised")
    assert whole["possible"] == sum(whole[name] for name in parts)


def test_schools_are_named_by_urn_and_year_groups_run_upwards(terminal: Terminal, marks: list[reference.Mark]) -> None:
    groups = terminal.done("measures", *WHERE, "--by", "school")["groups"]
    assert [(one["group"], one["urn"], one["name"], one["phase"]) for one in groups] == [
        (urn, urn, name, phase) for urn, name, phase, *_ in county.SCHOOLS
    ]
    groups = terminal.done("measures", *WHERE, "--by", "year-group", "--include-all-ages")["groups"]
    assert [one["group"] for one in groups] == ["R", *(str(number) for number in range(1, 14))]


def test_no_marks_are_noughts_and_no_rates(terminal: Terminal, marks: list[reference.Mark]) -> None:
    (whole,) = terminal.done("measures", *WHERE, "--from", "2019-01-01", "--to", "2019-12-31")["groups"]
    assert (whole["possible"], whole["enrolments"], whole["codes"]) == (0, 0, {})
    assert set(whole["rates"].values()) == {None}
    assert terminal.done("measures", *WHERE, "--to", "2019-12-31", "--by", "school")["groups"] == []
