"""The checker of plain words finds what it should, and nothing else."""

from __future__ import annotations

import pytest

from tests.architecture import plain_words
from tests.architecture.sources import Source

LONG_SENTENCE = "word " * 18 + "end."


def check(text: str) -> list[str]:
    """The faults of a planted file, without its name."""
    return [fault.removeprefix("planted.py:") for fault in plain_words.faults(Source("planted.py", text))]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("told = 1\n", "1: name `told`"),
        ("_told: int = 1\n", "1: name `_told`"),
        ("total = [one for one in range(3)]\n", "1: name `one`"),
        ("if (found := 1):\n    pass\n", "1: name `found`"),
        ("for place, school in []:\n    pass\n", "1: name `place`"),
        ("with open('a') as held:\n    pass\n", "1: name `held`"),
        ("try:\n    pass\nexcept OSError as said:\n    pass\n", "3: name `said`"),
        ("match 1:\n    case thing:\n        pass\n", "2: name `thing`"),
        ("import os as ours\n", "1: import `ours`"),
        ("def upload(*, kept): pass\n", "1: argument `kept`"),
        ("upload = lambda one: 1\n", "1: argument `one`"),
        ("def told(): pass\n", "1: function `told`"),
        ("async def told(): pass\n", "1: function `told`"),
        ("class held: pass\n", "1: class `held`"),
        ("class Upload:\n    place: int\n", "2: name `place`"),
        ("class Upload:\n    def __init__(self): self.kept = 1\n", "2: field `kept`"),
        (f'"""{LONG_SENTENCE}"""\n', "1: the docstring's first sentence has 19 words"),
        (f'class Upload:\n    """{LONG_SENTENCE}"""\n', "1: the docstring's first sentence has 19 words"),
        ('def upload():\n    """Send it. Whoever asks gets it."""\n', "1: the docstring says “Whoever”"),
    ],
)
def test_a_planted_fault_is_found(text: str, fault: str) -> None:
    assert [line.startswith(fault) for line in check(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "schools = []\nfor school in schools:\n    school.place = 1\n",
        "def upload(*_, __name__): return one\n",
        f'"""{LONG_SENTENCE.removeprefix("word ")} {LONG_SENTENCE}"""\n',
        '"""Is it so? Yes."""\n',
    ],
)
def test_plain_text_passes(text: str) -> None:
    assert check(text) == []


def test_an_old_name_is_found() -> None:
    source = Source("planted.py", "def rehearse(): pass\n")
    assert plain_words.faults(source, ("rehearse",)) == ["planted.py:1: function `rehearse` is an old name"]


def test_the_run_script_is_checked() -> None:
    names = {source.name for source in plain_words.checked_sources()}
    assert {"run", "portal/db/work.py", "tests/conftest.py"} <= names
