"""A file that is not read at all, and the sentence that says what to do."""

from __future__ import annotations

from portal.platform.problems import Problem, ProblemsError


class FileRejected(ProblemsError):  # noqa: N818  named for what happened to the file
    """The whole file is rejected, for one problem. `kind` is a short name of it, for logs and tests."""

    def __init__(self, kind: str, sentence: str, row: int | None = None, column: str | None = None) -> None:
        """Carry the kind and the problem; `message` is the problem on one line."""
        super().__init__([Problem(sentence, row, column)])
        self.kind, self.message = kind, self.sentence
