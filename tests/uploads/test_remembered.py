"""A school's columns are asked once: a file of the same layout with other days in its headings is read as the first was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.uploads import actions
from tests.uploads.files import found, upn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

PRESENT = "/\\"
#: Days as headings name them: this week's, and the next's, which may be more or fewer.
MATRICES = {
    "day first": (("02/11/2026", "03/11/2026"), ("09/11/2026", "10/11/2026", "11/11/2026")),
    "with weekdays": (("Mon 2 Nov 2026", "Tue 3 Nov 2026"), ("Mon 9 Nov 2026",)),
    "ISO": (("2026-11-02",), ("2026-11-09",)),
    "serial days": (("46328",), ("46335",)),
}


def matrix(days: Sequence[str]) -> bytes:
    """A register with a column for each day, its pupils named in a column nobody could guess."""
    return f"Learner ref,{','.join(days)}\n{upn(0)},{','.join([PRESENT] * len(days))}\n".encode()


def grid(week: str, *days: str) -> bytes:
    """A weekly grid whose headings name each half in words of the school's own, with the day but not the year."""
    headings = ",".join(f"{day} {half}" for day in days for half in ("early", "late"))
    return f"UPN,Week beginning,{headings}\n{upn(0)},{week},{','.join(PRESENT * len(days))}\n".encode()


def taken(school: UUID, content: bytes) -> tuple[str, int, int]:
    """What became of a file: its state, and marks stored and refused."""
    sent = found(actions.take(school, kind="marks", file_name="x.csv", content=content))
    return sent.state, sent.rows_stored, sent.rows_refused


@pytest.mark.parametrize("case", MATRICES)
def test_a_matrix_of_the_next_week_is_read_as_this_weeks_was(school: UUID, case: str) -> None:
    days, following = MATRICES[case]
    asked = found(actions.rehearse(school, kind="marks", file_name="x.csv", content=matrix(days)))
    assert asked.state == "needs-mapping"
    actions.say_what_columns_mean(asked.id, {"Learner ref": "upn", **dict.fromkeys(days, "")})
    assert taken(school, matrix(following)) == ("applied", 2 * len(following), 0)


def test_a_weekly_grid_with_days_in_its_headings_is_read_as_this_weeks_was(school: UUID) -> None:
    first = grid("02/11/2026", "Mon 02/11", "Tue 03/11")
    asked = found(actions.rehearse(school, kind="marks", file_name="x.csv", content=first))
    said = {"Mon 02/11 early": "mon_am", "Mon 02/11 late": "mon_pm", "Tue 03/11 early": "tue_am", "Tue 03/11 late": "tue_pm"}
    actions.say_what_columns_mean(asked.id, {"UPN": "upn", "Week beginning": "week_commencing", **said})
    assert taken(school, first) == ("applied", 4, 0)
    assert taken(school, grid("09/11/2026", "Mon 09/11", "Tue 10/11")) == ("applied", 4, 0)


def test_another_layout_is_asked_for_itself(school: UUID) -> None:
    asked = found(actions.rehearse(school, kind="marks", file_name="x.csv", content=matrix(("02/11/2026",))))
    actions.say_what_columns_mean(asked.id, {"Learner ref": "upn"})
    other = matrix(("09/11/2026",)).replace(b"Learner", b"Pupil")
    assert taken(school, other) == ("needs-mapping", 0, 0)
