"""Counts and rates from the command line equal the recount, for every grouping, span and population."""

from __future__ import annotations

from datetime import date

import pytest

from tests.commands import county, reference
from tests.commands.conftest import SLUG, Terminal

AUTHORITY = ("--authority", SLUG)
SPANS = (
    (None, None),
    (date(2025, 9, 3), date(2026, 6, 4)),
    (date(2025, 9, 10), date(2025, 9, 11)),
    (date(2026, 5, 20), date(2026, 6, 2)),
    (date(2024, 9, 1), date(2025, 8, 31)),
)


@pytest.fixture(scope="module")
def marks(terminal: Terminal) -> list[reference.Mark]:
    """The county's marks, imported as a data team would: schools, dates, pupils, and each year's marks."""
    terminal.succeed("authority", "add", SLUG, "--name", "Northshire", "--la-code", "001")
    terminal.succeed("schools", "import", *AUTHORITY, terminal.file("schools.csv", county.school_list()))
    terminal.succeed("term-dates", "import", *AUTHORITY, terminal.file("terms.csv", county.term_list()))
    own = terminal.file("own.csv", county.own_closed_days())
    terminal.succeed("term-dates", "import", *AUTHORITY, "--school", "999103", own)
    all_marks = county.marks()
    for urn, *_ in county.SCHOOLS:
        for year in (2023, 2024, 2025, 2026):
            pupils = terminal.file("pupils.csv", county.pupil_list(urn, year))
            terminal.succeed("pupils", "import", *AUTHORITY, "--school", urn, "--academic-year", year, pupils)
            school_marks = [mark for mark in all_marks if mark.urn == urn and reference.year_of(mark.on) == year]
            terminal.file(f"{year}/{urn}.csv", county.long_file(school_marks))
    for year in (2023, 2024, 2025, 2026):
        document = terminal.succeed("marks", "import", *AUTHORITY, "--by-filename", terminal.folder / str(year))
        assert document["rows_refused"] == 0, [file["problems"] for file in document["files"]]
        assert document["rows_in"] == document["rows_stored"] == sum(1 for mark in all_marks if reference.year_of(mark.on) == year)
    return all_marks


def compare(groups: list[dict[str, object]], expected: dict[str, dict[str, object]]) -> None:
    """Check every count and every rate of every group."""
    assert {str(group["group"]) for group in groups} == expected.keys()
    for group in groups:
        expected_group = expected[str(group["group"])]
        assert {name: group[name] for name in expected_group} == expected_group
        rates = reference.rates(expected_group)
        assert group["rates"] == {name: None if rate is None else float(rate) for name, rate in rates.items()}
        assert group["rates_rounded"] == {
            name: None if rate is None else reference.rounded_half_up(rate) for name, rate in rates.items()
        }


@pytest.mark.parametrize("everyone", [False, True])
@pytest.mark.parametrize("by", ["none", "school", "week", "month", "year-group"])
def test_every_count_equals_the_recount(terminal: Terminal, marks: list[reference.Mark], by: str, everyone: bool) -> None:
    for first, last in SPANS:
        span = ["--from", str(first), "--to", str(last)] if first else []
        document = terminal.succeed("measures", *AUTHORITY, "--by", by, *span, *(["--include-all-ages"] if everyone else []))
        selected = [
            mark for mark in marks
            if (first is None or first <= mark.on <= last) and (everyone or reference.is_headline(mark, county.AFTER_MAY))
        ]  # fmt: skip
        compare(document["groups"], reference.counted(selected, by))


@pytest.mark.parametrize("phase", ["primary", "all-through", "special"])
def test_a_phase_counts_only_its_own_schools(terminal: Terminal, marks: list[reference.Mark], phase: str) -> None:
    urns = {urn for urn, _, school_phase, *_ in county.SCHOOLS if school_phase == phase}
    selected = [mark for mark in marks if mark.urn in urns and reference.is_headline(mark, county.AFTER_MAY)]
    compare(terminal.succeed("measures", *AUTHORITY, "--phase", phase.title())["groups"], reference.counted(selected, "none"))
    (urn,) = urns
    compare(terminal.succeed("measures", *AUTHORITY, "--school", urn)["groups"], reference.counted(selected, "none"))


def test_grouping_by_code_gives_each_code_and_its_share(terminal: Terminal, marks: list[reference.Mark]) -> None:
    groups = terminal.succeed("measures", *AUTHORITY, "--by", "code", "--include-all-ages")["groups"]
    total = reference.counted(marks, "none")["all"]
    assert {group["group"]: group["sessions"] for group in groups} == total["codes"]
    shares = {group["group"]: group["rate"] for group in groups}
    assert {group["possible"] for group in groups} == {total["possible"]}
    assert {group for group, share in shares.items() if share is None} == {"D", "Q", "X", "Y", *(f"Y{n}" for n in range(1, 8))}
    assert sum(share for share in shares.values() if share is not None) == pytest.approx(100)


def test_the_groups_add_up_to_the_total(terminal: Terminal, marks: list[reference.Mark]) -> None:
    (total,) = terminal.succeed("measures", *AUTHORITY)["groups"]
    for by in ("school", "week", "month", "year-group"):
        groups = terminal.succeed("measures", *AUTHORITY, "--by", by)["groups"]
        for name in ("possible", "present", "approved_educational_activity", "authorised", "unauthorised", "late"):
            assert sum(group[name] for group in groups) == total[name]
    parts = ("present", "approved_educational_activity", "authorised", "unauthorised")
    assert total["possible"] == sum(total[name] for name in parts)


def test_schools_are_named_by_urn_and_year_groups_ascend(terminal: Terminal, marks: list[reference.Mark]) -> None:
    groups = terminal.succeed("measures", *AUTHORITY, "--by", "school")["groups"]
    assert [(group["group"], group["urn"], group["name"], group["phase"]) for group in groups] == [
        (urn, urn, name, phase) for urn, name, phase, *_ in county.SCHOOLS
    ]
    groups = terminal.succeed("measures", *AUTHORITY, "--by", "year-group", "--include-all-ages")["groups"]
    assert [group["group"] for group in groups] == ["R", *(str(number) for number in range(1, 14))]


def test_no_marks_give_zero_counts_and_no_rates(terminal: Terminal, marks: list[reference.Mark]) -> None:
    (total,) = terminal.succeed("measures", *AUTHORITY, "--from", "2019-01-01", "--to", "2019-12-31")["groups"]
    assert (total["possible"], total["enrolments"], total["codes"]) == (0, 0, {})
    assert set(total["rates"].values()) == {None}
    assert terminal.succeed("measures", *AUTHORITY, "--to", "2019-12-31", "--by", "school")["groups"] == []
