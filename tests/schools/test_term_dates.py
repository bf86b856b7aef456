"""Reading term dates from CSV and JSON; a file with a problem has no dates."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from portal.rules.calendar import Calendar
from portal.schools.domain.term_dates import HALF_TERMS, term_dates


def published() -> dict[str, Any]:
    """An authority's dates for 2025/26 in the JSON that some authorities publish."""
    holidays = [
        ("2025-08-01", "2025-08-31"),
        ("2025-10-25", "2025-11-02"),
        ("2025-12-20", "2026-01-04"),
        ("2026-02-14", "2026-02-22"),
        ("2026-03-28", "2026-04-12"),
        ("2026-05-23", "2026-05-31"),
        ("2026-07-21", "2026-07-31"),
    ]
    return {
        "academic_years": [
            {
                "name": "2025-26",
                "bank_holidays": ["2025-12-25", "2026-05-04", "2026-05-25"],
                "school_holidays": [{"start": start, "end": end, "label": "Holiday"} for start, end in holidays],
            }
        ],
        "pd_days": [],
    }


def test_terms_lie_between_school_holidays() -> None:
    dates = term_dates(json.dumps(published()).encode())
    assert tuple(term.name for term in dates.terms) == HALF_TERMS
    assert (dates.terms[0].first_day, dates.terms[0].last_day) == (date(2025, 9, 1), date(2025, 10, 24))
    assert (dates.terms[-1].first_day, dates.terms[-1].last_day) == (date(2026, 6, 1), date(2026, 7, 20))
    assert [run.first_day for run in dates.closed] == [date(2026, 5, 4)]
    assert dates.term_years == dates.closed_years == {2025}
    calendar = Calendar.from_terms(
        [(term.first_day, term.last_day) for term in dates.terms], [run.first_day for run in dates.closed]
    )
    assert len(calendar.school_days()) == 195


def test_training_days_are_closed() -> None:
    document = published() | {"pd_days": ["2025-09-01", {"date": "2026-01-05", "label": "INSET"}]}
    assert date(2026, 1, 5) in {run.first_day for run in term_dates(json.dumps(document).encode()).closed}


def test_a_csv_may_write_days_either_way() -> None:
    content = (
        "Type,Name,First day,Last day,Session\nterm,Autumn,2025-09-01,19/12/2025,\n"
        "closed,Half term,27/10/2025,31/10/2025,\nclosed,Polling day,07/05/2026,,pm\n"
    )
    dates = term_dates(content.encode())
    assert dates.problems == ()
    assert [(term.name, term.first_day, term.last_day) for term in dates.terms] == [
        ("Autumn", date(2025, 9, 1), date(2025, 12, 19))
    ]
    assert [(run.first_day, run.last_day, run.session) for run in dates.closed] == [
        (date(2025, 10, 27), date(2025, 10, 31), None),
        (date(2026, 5, 7), date(2026, 5, 7), "PM"),
    ]


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ("holidays,x,2025-09-01,2025-09-02,", "type"),
        ("term,x,soon,2025-09-02,", "first_day"),
        ("term,x,2025-09-01,,", "last_day"),
        ("term,x,2025-09-02,2025-09-01,", "last_day"),
        ("term,x,2025-09-01,2026-09-10,", "last_day"),
        ("closed,x,2025-09-01,2026-06-01,", "last_day"),
        ("closed,x,2025-09-01,2025-09-01,noon", "session"),
        ("term,a,2025-09-01,2025-12-19,\nterm,b,2025-12-19,2026-03-27,", "first_day"),
    ],
)
def test_each_problem_names_its_column(rows: str, column: str) -> None:
    (problem,) = term_dates(f"type,name,first_day,last_day,session\n{rows}\n".encode()).problems
    assert problem.column == column
    assert problem.sentence.startswith("Enter")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'{"academic_years": [1]}', b"{" * 100_000, b'{"academic_years": []}', b"type,first_day\n", b"\xff\xfe{"],
)
def test_a_file_that_has_no_dates_gives_a_problem(content: bytes) -> None:
    dates = term_dates(content)
    assert (dates.terms, dates.closed) == ((), ())
    assert dates.problems


def test_derived_terms_begin_and_end_on_weekdays() -> None:
    dates = term_dates(json.dumps(published()).encode())
    for term in dates.terms:
        assert term.first_day.weekday() < 5
        assert term.last_day.weekday() < 5
        assert term.last_day - term.first_day < timedelta(days=80)
