"""A column mapping is remembered: it also applies to files with other dates in their headings."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from portal.uploads import actions
from tests.uploads.files import get_upload, upn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

PRESENT = "/\\"
#: Headings of this week's dates, and of the next week's, which may be more or fewer.
MATRICES = {
    "day first": (("02/11/2026", "03/11/2026"), ("09/11/2026", "10/11/2026", "11/11/2026")),
    "with weekdays": (("Mon 2 Nov 2026", "Tue 3 Nov 2026"), ("Mon 9 Nov 2026",)),
    "ISO": (("2026-11-02",), ("2026-11-09",)),
    "serial days": (("46328",), ("46335",)),
}


def matrix(days: Sequence[str]) -> bytes:
    """A register with a column for each day, and a heading for the UPN that is not known."""
    return f"Learner ref,{','.join(days)}\n{upn(0)},{','.join([PRESENT] * len(days))}\n".encode()


def grid(week: str, *days: str) -> bytes:
    """A weekly grid with unknown names for the halves, and dates without a year in its headings."""
    headings = ",".join(f"{day} {half}" for day in days for half in ("early", "late"))
    return f"UPN,Week beginning,{headings}\n{upn(0)},{week},{','.join(PRESENT * len(days))}\n".encode()


def import_outcome(school: UUID, content: bytes) -> tuple[str, int, int]:
    """Import a file: its state, and the numbers of marks stored and rejected."""
    upload = get_upload(actions.import_file(school, kind="marks", file_name="x.csv", content=content))
    return upload.state, upload.rows_stored, upload.rows_rejected


@pytest.mark.parametrize("case", MATRICES)
def test_the_mapping_of_a_matrix_applies_to_next_weeks_matrix(school: UUID, case: str) -> None:
    days, following = MATRICES[case]
    unmapped = get_upload(actions.preview(school, kind="marks", file_name="x.csv", content=matrix(days)))
    assert unmapped.state == "needs-mapping"
    actions.set_column_mapping(unmapped.id, {"Learner ref": "upn", **dict.fromkeys(days, "")})
    assert import_outcome(school, matrix(following)) == ("applied", 2 * len(following), 0)


def test_the_mapping_of_a_weekly_grid_with_dates_in_its_headings_applies_to_next_weeks_grid(school: UUID) -> None:
    first = grid("02/11/2026", "Mon 02/11", "Tue 03/11")
    unmapped = get_upload(actions.preview(school, kind="marks", file_name="x.csv", content=first))
    slots = {"Mon 02/11 early": "mon_am", "Mon 02/11 late": "mon_pm", "Tue 03/11 early": "tue_am", "Tue 03/11 late": "tue_pm"}
    actions.set_column_mapping(unmapped.id, {"UPN": "upn", "Week beginning": "week_commencing", **slots})
    assert import_outcome(school, first) == ("applied", 4, 0)
    assert import_outcome(school, grid("09/11/2026", "Mon 09/11", "Tue 10/11")) == ("applied", 4, 0)


def test_another_layout_needs_a_mapping_of_its_own(school: UUID) -> None:
    unmapped = get_upload(actions.preview(school, kind="marks", file_name="x.csv", content=matrix(("02/11/2026",))))
    actions.set_column_mapping(unmapped.id, {"Learner ref": "upn"})
    other_layout = matrix(("09/11/2026",)).replace(b"Learner", b"Pupil")
    assert import_outcome(school, other_layout) == ("needs-mapping", 0, 0)


_sent_files: list[str] = []
sys.addaudithook(lambda event, _arguments: _sent_files.append(event) if event == "socket.sendmsg" else None)


@contextmanager
def counted_parses() -> Iterator[list[str]]:
    """The files sent to the reader's process in the block. A file is sent by its descriptor, which nothing else does."""
    _sent_files.clear()
    yield _sent_files


def test_a_file_with_a_remembered_mapping_is_parsed_once_to_preview_and_once_to_apply(school: UUID) -> None:
    content = matrix(("02/11/2026",))
    unmapped = get_upload(actions.preview(school, kind="marks", file_name="x.csv", content=content))
    actions.set_column_mapping(unmapped.id, {"Learner ref": "upn"})
    with counted_parses() as parses:
        upload_id = actions.preview(school, kind="marks", file_name="y.csv", content=matrix(("09/11/2026",)))
        assert (get_upload(upload_id).state, len(parses)) == ("previewed", 1)
        actions.request_apply(upload_id)
        actions.apply(upload_id)
        assert (get_upload(upload_id).state, len(parses)) == ("applied", 2)
    with counted_parses() as parses:
        assert import_outcome(school, matrix(("10/11/2026",)))[0] == "applied"
        assert len(parses) == 1


def test_the_mapping_set_for_a_file_itself_wins_over_a_remembered_one(school: UUID) -> None:
    content = f"Learner ref,Other ref,02/11/2026\n{upn(0)},{upn(1)},/\\\n".encode()
    for heading, unused in (("Learner ref", "Other ref"), ("Other ref", "Learner ref")):
        upload_id = actions.preview(school, kind="marks", file_name="x.csv", content=content)
        actions.set_column_mapping(upload_id, {heading: "upn", unused: ""})
        actions.check(upload_id)
        assert get_upload(upload_id).mapping == {heading: "upn", unused: ""}
