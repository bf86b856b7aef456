"""Previews, as the database keeps them and as the command line prints them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from portal.pupils.domain.matching import MatchKind
from portal.uploads.domain.kinds import Kind
from portal.uploads.domain.previews import (
    CodeChange,
    EarlierUpload,
    FileColumns,
    MarksPreview,
    Preview,
    PupilListPreview,
    TotalsPreview,
    WeekCounts,
    from_stored,
    printed,
    to_stored,
)
from portal.uploads.domain.reading.result import Column

MARKS = MarksPreview(
    added=3,
    changed=1,
    unchanged=2,
    rejected=4,
    missing=5,
    changes=(CodeChange("/", "I", 1),),
    weeks=(WeekCounts(date(2026, 11, 2), 3, 1, 2),),
    complete_weeks=(date(2026, 11, 2),),
    title_rows_skipped=1,
    totals_rows_skipped=2,
    hidden_sheets=("Old",),
    same_as=EarlierUpload(UUID(int=7), datetime(2026, 11, 25, 9, 5, tzinfo=UTC)),
)
LIST = PupilListPreview(academic_year="2026/27", matches={MatchKind.NEW: 2, MatchKind.QUESTION: 1})
APPLIED_LIST = PupilListPreview(academic_year="2026/27", matches={MatchKind.EXISTING: 1}, imported={"added": 0, "changed": 1})
PREVIEWS = {Kind.MARKS: (MarksPreview(), MARKS), Kind.PUPILS: (LIST, APPLIED_LIST), Kind.TOTALS: (TotalsPreview(9),)}


@pytest.mark.parametrize(("kind", "preview"), [(kind, preview) for kind, previews in PREVIEWS.items() for preview in previews])
def test_a_preview_is_read_back_as_it_was_stored(kind: Kind, preview: Preview) -> None:
    stored = json.loads(json.dumps(to_stored(preview)))
    assert stored["kind"] == kind
    assert from_stored(stored) == preview


def test_every_kind_of_file_has_a_preview() -> None:
    assert set(PREVIEWS) == set(Kind)


def test_a_preview_of_an_older_version_is_read_with_nothing_for_what_it_lacks() -> None:
    assert from_stored({"kind": "marks", "added": 1}) == MarksPreview(added=1)
    assert from_stored({"kind": "pupils", "academic_year": "2026/27"}) == PupilListPreview(academic_year="2026/27")


def test_the_columns_of_a_file_are_read_back_as_they_were_stored() -> None:
    columns = FileColumns((Column("What", None, ("I", "/")), Column("UPN", "upn", ())), "5a4e", ("code",))
    assert FileColumns.from_document(json.loads(json.dumps(columns.document()))) == columns
    assert FileColumns.from_document({}) == FileColumns()


def test_the_command_line_prints_the_fields_it_always_did_in_their_order() -> None:
    columns = FileColumns((Column("What", None, ("I",)),), "5a4e", ("upn",))
    assert list(printed(MARKS, columns)) == [
        "added",
        "weeks",
        "changed",
        "changes",
        "columns",
        "lacking",
        "missing",
        "refused",
        "same_as",
        "unchanged",
        "fingerprint",
        "hidden_sheets",
        "complete_weeks",
        "title_rows_skipped",
        "same_as_received_at",
        "totals_rows_skipped",
    ]
    assert json.dumps(printed(MARKS, columns)["changes"]) == '[{"to": "I", "from": "/", "count": 1}]'
    assert json.dumps(printed(APPLIED_LIST, None)) == (
        '{"taken": {"added": 0, "changed": 1}, "pupils": {"held": 1}, "missing": 0, "academic_year": "2026/27"}'
    )
    assert printed(None, None) == {}
