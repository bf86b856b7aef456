"""The three ways an action says no: it is not there, it may not be done, someone else was faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class NotFoundError(LookupError):
    """There is no such thing in the open scope. Pages answer 404, whether it never existed or belongs to another school."""


class RefusedError(ValueError):
    """An action was refused. The sentence says what to do; `field` names the form field to show it at."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        """Carry the sentence and the field."""
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class ConflictError(RefusedError):
    """Someone else was faster: the same thing was added or changed at the same time."""


def conflict(sentence: str, field: str | None = None) -> Mapping[str, object]:
    """The `info` of a unique constraint: what a person reads when two people add the same thing at once."""
    return {"conflict": (field, sentence)}
