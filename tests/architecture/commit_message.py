"""The commit-msg hook: a commit needs a short subject and a body that says why."""

from __future__ import annotations

import sys
from pathlib import Path

LONGEST_SUBJECT = 72
#: Git writes these subjects itself.
EXEMPT_SUBJECTS = ("Merge ", "Revert ", "fixup! ", "squash! ", "amend! ")
#: What `git commit --verbose` puts above the diff; nothing below it is part of the message.
SCISSORS = "# ------------------------ >8"


def fault(message: str) -> str:
    """What is wrong with a message, in a sentence; empty when nothing is."""
    text = message.split(SCISSORS, 1)[0]
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("#")]
    subject, body = (lines[0], lines[1:]) if lines else ("", [])
    if subject.startswith(EXEMPT_SUBJECTS):
        return ""
    if not subject:
        return "The first line says what the commit does."
    if len(subject) > LONGEST_SUBJECT:
        return f"The first line has {len(subject)} characters: at most {LONGEST_SUBJECT}."
    if not any(body):
        return "Say in the body why the change is made: leave a line empty, then write a sentence or two."
    return "Leave the second line empty." if body[0] else ""


def main(path: str) -> int:
    """Check the message in a file; git aborts the commit when this ends with 1."""
    found_fault = fault(Path(path).read_text(encoding="utf-8"))
    sys.stderr.write(f"{found_fault}\n" if found_fault else "")
    return 1 if found_fault else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
