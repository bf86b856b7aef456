"""The three ways an action says no: not there, not allowed, or someone else was faster."""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")
#: The key in a unique constraint's `info` under which `conflict` keeps its sentence and field.
CONFLICT = "conflict"


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


def must_exist(row: T | None) -> T:
    """The row a query found.

    Raises:
        NotFoundError: when it found none.
    """
    if row is None:
        raise NotFoundError
    return row


def conflict(sentence: str, field: str | None = None) -> dict[str, Any]:
    """The `info` of a unique constraint: what a person reads who added the same thing second."""
    return {CONFLICT: (sentence, field)}
