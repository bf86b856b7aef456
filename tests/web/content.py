"""The content linter: words our pages do not use, and sentences that are too long, found in the text of a template."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SENTENCE = 25
#: A word that blames, begs or says nothing, and what to write instead.
AVOIDED = {
    "please": "say what to do",
    "invalid": "say what to enter",
    "sorry": "say what happened and what to do",
    "oops": "say what happened and what to do",
    "forbidden": "say what the role does not include",
    "illegal": "say what to enter",
    "click here": "name the link by where it leads",
    "click on": "choose, open or select",
    "truant": "absent without permission",
    "truancy": "absence without permission",
    "utilise": "use",
    "in order to": "to",
    "prior to": "before",
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "name them, or say such as",
    "whilst": "while",
    "login": "sign in",
    "log in": "sign in",
    "log out": "sign out",
    "logout": "sign out",
    "username": "email address",
    "offender": "say what happened",
    "failed to": "did not",
}
ENDS_A_LINE = r"</?(?:p|li|h[1-6]|td|th|dt|dd|div|title|caption|legend|label|button|summary|option|br|a class=\"govuk-button)[^>]*>"
#: What people read although it stands inside an expression of the template.
SPOKEN = re.compile(r'"((?:[A-Z“][^"{}<>=/_]*|[^"{}<>=/_]*\s[^"{}<>=/_]*))"')


def faults_of(template: str) -> list[str]:
    """What the linter finds in a template's text, in words."""
    return [fault for sentence in sentences(template) for fault in _faults(sentence)]


def sentences(template: str) -> Iterator[str]:
    """The sentences a person reads: the text outside tags, and the words given to components."""
    text = re.sub(r"{#.*?#}", " ", re.sub(r"\s+", " ", template))
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", text)
    text = re.sub(r"{%.*?%}|{{.*?}}", lambda found: _spoken(found.group()), text)
    text = re.sub(ENDS_A_LINE, "\n", text)
    text = re.sub(r"<[^>]*>", " ", text)
    for line in text.split("\n"):
        for sentence in re.split(r"(?<=[.!?:])\s+", line):
            folded = re.sub(r"\s+", " ", sentence).strip()
            if folded:
                yield folded


def _spoken(expression: str) -> str:
    """The words inside an expression, each on a line of its own; a value that is put in counts as one word."""
    said = SPOKEN.findall(expression)
    return "\n" + "\n".join(said) + "\n" if said else (" X " if expression.startswith("{{") else " ")


def _faults(sentence: str) -> Iterator[str]:
    folded = sentence.casefold()
    for word, instead in AVOIDED.items():
        if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", folded):
            yield f"“{word}” ({instead}): {sentence}"
    count = len(re.findall(r"[\w\u2019'-]+", sentence))
    if count > LONGEST_SENTENCE:
        yield f"{count} words in one sentence: {sentence}"
