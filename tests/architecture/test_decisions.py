"""The decisions: each says whether it holds, and the index has them all."""

from __future__ import annotations

import pytest

from tests.architecture import decisions
from tests.architecture.decisions import Decision, decision, index

TEXT = "# 0042. Files are read twice\n\nStatus: {status}\n\n## Context\n"
FILE_NAME = "0042-files-are-read-twice.md"


def missing_answers(texts: dict[str, str]) -> list[str]:
    """Decisions that replace an older one and do not name it. An amendment may be about something else and need not."""
    decisions_by_name = {name: decision(name, text) for name, text in texts.items()}
    by_number = {older.number: name for name, older in decisions_by_name.items()}
    return [
        f"{by_number[later]} does not name {older.number}"
        for older in decisions_by_name.values()
        for later in older.later
        if older.status.startswith("replaced") and later in by_number and older.number not in texts[by_number[later]]
    ]


def test_the_index_is_up_to_date() -> None:
    committed = decisions.PAGE.read_text(encoding="utf-8")
    assert decisions.page().splitlines() == committed.splitlines(), "python -m tests.architecture.decisions --write"


@pytest.mark.parametrize(
    "status", ["accepted", "proposed", "withdrawn", "replaced by 0017", "amended by 0014, 0016", "accepted (replaces 0008)"]
)
def test_a_status_is_read(status: str) -> None:
    assert decision(FILE_NAME, TEXT.format(status=status)) == Decision(
        FILE_NAME, "0042", "Files are read twice", status.removesuffix(" (replaces 0008)")
    )


def test_the_numbers_of_later_decisions_are_read() -> None:
    assert decision(FILE_NAME, TEXT.format(status="amended by 0014, 0016")).later == ["0014", "0016"]


@pytest.mark.parametrize(
    "text",
    [
        "# 0042. Files are read twice\n\n## Context\n",
        "# 0042. Files are read twice\n\nStatus: good\n",
        "# 0042. Files are read twice\n\nStatus: replaced by the next one\n",
        "# 0041. Another number\n\nStatus: accepted\n",
        "Status: accepted\n",
        "",
    ],
)
def test_a_page_without_title_or_status_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=FILE_NAME):
        decision(FILE_NAME, text)


def test_a_decision_that_is_missing_changes_the_index() -> None:
    first, second = Decision("0001-a.md", "0001", "A", "replaced by 0002"), Decision("0002-b.md", "0002", "B", "accepted")
    assert "[0002](0002-b.md)" in index([first, second])
    assert "0002-b.md" not in index([first])


def test_two_decisions_with_one_number_are_refused() -> None:
    with pytest.raises(ValueError, match="0001"):
        index([Decision("0001-a.md", "0001", "A", "accepted"), Decision("0001-b.md", "0001", "B", "accepted")])


def test_a_decision_that_replaces_another_names_it() -> None:
    assert missing_answers({path.name: path.read_text(encoding="utf-8") for path in decisions.pages()}) == []


def test_a_replacement_that_names_nothing_is_found() -> None:
    texts = {FILE_NAME: TEXT.format(status="replaced by 0043"), "0043-b.md": "# 0043. Once\n\nStatus: accepted\n"}
    assert missing_answers(texts) == ["0043-b.md does not name 0042"]
