"""The content linter: finds words to avoid and sentences that are too long in a template's text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SENTENCE = 25
#: Words that blame, beg or say nothing, and what to write instead.
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
    "rehearsal": "preview",
    "rehearsed": "previewed",
    "put aside": "cancel",
    "put this file aside": "cancel this upload",
    "withdraw": "cancel",
    "mend": "correct",
    "spell": "period of absence",
    "spells": "periods of absence",
    "tally": "total",
    "tallies": "totals",
    "not said": "blank",
    "the nation": "England",
}
LINE_ENDING_TAGS = (
    r"</?(?:p|li|h[1-6]|td|th|dt|dd|div|title|caption|legend|label|button|summary|option|br|a class=\"govuk-button)[^>]*>"
)
#: Text that people read although it is a string inside a template expression.
READABLE_STRING = re.compile(r'"((?:[A-Z“][^"{}<>=/_]*|[^"{}<>=/_]*\s[^"{}<>=/_]*))"')


def faults_of(template: str) -> list[str]:
    """The faults in a template's text, in words."""
    return [fault for sentence in sentences(template) for fault in _faults(sentence)]


def sentences(template: str) -> Iterator[str]:
    """The sentences a person reads: the text outside tags, and the strings given to components."""
    text = re.sub(r"{#.*?#}", " ", re.sub(r"\s+", " ", template))
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", text)
    text = re.sub(r"{%.*?%}|{{.*?}}", lambda match: _readable_text(match.group()), text)
    text = re.sub(LINE_ENDING_TAGS, "\n", text)
    text = re.sub(r"<[^>]*>", " ", text)
    for line in text.split("\n"):
        for sentence in re.split(r"(?<=[.!?:])\s+", line):
            folded = re.sub(r"\s+", " ", sentence).strip()
            if folded:
                yield folded


def _readable_text(expression: str) -> str:
    """The readable strings of an expression, one a line. An inserted value counts as one word."""
    strings = READABLE_STRING.findall(expression)
    return "\n" + "\n".join(strings) + "\n" if strings else (" X " if expression.startswith("{{") else " ")


def _faults(sentence: str) -> Iterator[str]:
    folded = sentence.casefold()
    for word, advice in AVOIDED.items():
        # A name of the code, as in `found.spells`, is not read by anyone.
        if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", folded):
            yield f"“{word}” ({advice}): {sentence}"
    count = len(re.findall(r"[\w\u2019'-]+", sentence))
    if count > LONGEST_SENTENCE:
        yield f"{count} words in one sentence: {sentence}"
