"""Every template passes the content linter, and the linter finds planted faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.web.routes import STATEMENT_REVIEWED
from tests.web.content import faults_of, sentences

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(path for folder in ("portal", "dashboards") for path in (ROOT / folder).rglob("*.html"))
LONG = "This sentence goes on and on " * 5 + "."


def test_there_are_templates_to_read() -> None:
    assert len(TEMPLATES) > 15


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_is_in_plain_words(path: Path) -> None:
    assert faults_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "template",
    [
        "<p>Please wait</p>",
        '<p class="x">This is <b>invalid</b></p>',
        '{{ c.empty("Sorry, nothing here") }}',
        "{% call c.form() %}<label>Username</label>{% endcall %}",
        "<p>Click here to go on</p>",
        "<p>The pupil is a truant.</p>",
        f"<p>{LONG}</p>",
        f"<p>{LONG[:70]}\n{LONG[70:]}</p>",
        f'{{{{ parts.steps(["{LONG}"]) }}}}',
    ],
)
def test_the_linter_finds_a_planted_fault(template: str) -> None:
    assert faults_of(template)


@pytest.mark.parametrize(
    "template",
    [
        "{# please #}<p>Send the file</p>",
        '<a href="/login">Sign in</a>',
        "<script>please()</script><p>Short. Also short.</p>",
        "<p>" + "Five short words are here. " * 9 + "</p>",
        '{{ url_for("accounts.login") }}',
    ],
)
def test_the_linter_accepts_plain_text(template: str) -> None:
    assert faults_of(template) == []


def test_the_linter_reads_the_words_given_to_components() -> None:
    assert "Send your first file." in list(sentences('{{ c.empty("No uploads yet", "Send your first file.") }}'))


def test_the_accessibility_statement_was_reviewed_within_a_year_of_the_last_change_of_a_template() -> None:
    assert STATEMENT_REVIEWED.year >= 2026
