"""Reading the fields of a conformance case. An error names the field and what to enter in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

    from portal.rules.calendar import Half, Session

    Choice = TypeVar("Choice", bound="StrEnum")


class CaseProblemError(ValueError):
    """A case can't be read; the message says which field and what to put there."""


# Cached, because a document of 5 MB repeats the same school days many thousands of times.
@lru_cache(maxsize=4096)
def _date(text: str) -> date | None:
    # fromisoformat alone also accepts 20250106 and 2025-W02-1, which the contract does not.
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Field:
    """A value from the document, with its path there for messages."""

    value: object
    path: str

    def reject(self, expected: str) -> NoReturn:
        """Raise CaseProblemError with what the field should hold."""
        message = f"{self.path}: enter {expected}."
        raise CaseProblemError(message)

    def has(self, name: str) -> bool:
        """Whether an object has a field that is not null."""
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def get(self, name: str) -> Field:
        """A field of an object. Raises CaseProblemError when there is none."""
        if not isinstance(self.value, dict):
            self.reject("an object")
        path = f"{self.path}.{name}" if self.path else name
        if name not in self.value:
            Field(None, path).reject("this field; it is missing")
        return Field(self.value[name], path)

    def items(self, name: str) -> Iterator[Field]:
        """The members of a list in a field, in order."""
        field = self.get(name)
        if not isinstance(field.value, list):
            field.reject("a list")
        for number, value in enumerate(field.value):
            yield Field(value, f"{field.path}[{number}]")

    def optional_items(self, name: str) -> Iterator[Field]:
        """The members of a list in a field that may be left out or null."""
        return self.items(name) if self.has(name) else iter(())

    def text(self, name: str) -> str:
        """A field that holds text."""
        field = self.get(name)
        if not isinstance(field.value, str):
            field.reject("text")
        return field.value

    def day(self, name: str) -> date:
        """A field that holds a date."""
        return self.get(name).as_date()

    def as_date(self) -> date:
        """The value itself as a date, written YYYY-MM-DD."""
        on = _date(self.value) if isinstance(self.value, str) else None
        if on is None:
            self.reject("a date as YYYY-MM-DD")
        return on

    def half(self) -> Half:
        """The field `session`: AM or PM."""
        field = self.get("session")
        # Not a set lookup: the value may be a list, which is unhashable and would raise TypeError.
        if field.value == "AM":
            return "AM"
        if field.value != "PM":
            field.reject("AM or PM")
        return "PM"

    def session(self) -> Session:
        """The fields `date` and `session` together."""
        return self.day("date"), self.half()

    def amount(self, name: str) -> int | float:
        """A field that holds an amount in pounds."""
        field = self.get(name)
        # In Python a bool is an int, but in JSON true is not an amount.
        if isinstance(field.value, bool) or not isinstance(field.value, int | float):
            field.reject("an amount in pounds, as a number")
        return field.value

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        """A field that holds one of an enumeration's values."""
        text = self.text(name)
        match = next((choice for choice in choices if choice == text), None)
        if match is None:
            self.get(name).reject(f"one of {', '.join(choices)}")
        return match
