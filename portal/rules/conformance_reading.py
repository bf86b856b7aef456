"""Reads the fields of a conformance case, and says in plain words which field can't be read and what it should hold."""

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

ISO_LENGTH = 10
DASHES = (4, 7)


class CaseProblemError(ValueError):
    """A case can't be read; the message says which field and what to put there."""


@lru_cache(maxsize=4096)
def _date(text: str) -> date | None:
    # fromisoformat alone also takes 20250106 and 2025-W02-1, which the contract does not.
    if len(text) != ISO_LENGTH or any(text[place] != "-" for place in DASHES):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Field:
    """A value from the document, with its place in it for messages."""

    value: object
    place: str

    def expects(self, what: str) -> NoReturn:
        """Say what the field should hold. Always raises CaseProblemError."""
        message = f"{self.place}: enter {what}."
        raise CaseProblemError(message)

    def has(self, name: str) -> bool:
        """Whether an object has a field that is not null."""
        return isinstance(self.value, dict) and self.value.get(name) is not None

    def get(self, name: str) -> Field:
        """A field of an object. Raises CaseProblemError when there is none."""
        if not isinstance(self.value, dict):
            self.expects("an object")
        place = f"{self.place}.{name}" if self.place else name
        if name not in self.value:
            Field(None, place).expects("this field; it is missing")
        return Field(self.value[name], place)

    def items(self, name: str) -> Iterator[Field]:
        """The members of a list in a field, in order."""
        field = self.get(name)
        if not isinstance(field.value, list):
            field.expects("a list")
        for number, value in enumerate(field.value):
            yield Field(value, f"{field.place}[{number}]")

    def optional_items(self, name: str) -> Iterator[Field]:
        """The members of a list in a field that may be left out or null."""
        return self.items(name) if self.has(name) else iter(())

    def text(self, name: str) -> str:
        """A field that holds text."""
        field = self.get(name)
        if not isinstance(field.value, str):
            field.expects("text")
        return field.value

    def day(self, name: str) -> date:
        """A field that holds a date."""
        return self.get(name).as_date()

    def as_date(self) -> date:
        """The value itself as a date, written YYYY-MM-DD."""
        found = _date(self.value) if isinstance(self.value, str) else None
        if found is None:
            self.expects("a date as YYYY-MM-DD")
        return found

    def half(self) -> Half:
        """The field `session`: AM or PM."""
        field = self.get("session")
        # Compared one by one: a value from a document may be a list, which no set can look up.
        if field.value == "AM":
            return "AM"
        if field.value != "PM":
            field.expects("AM or PM")
        return "PM"

    def session(self) -> Session:
        """The fields `date` and `session` together."""
        return self.day("date"), self.half()

    def amount(self, name: str) -> int | float:
        """A field that holds an amount in pounds."""
        field = self.get(name)
        if isinstance(field.value, bool) or not isinstance(field.value, int | float):
            field.expects("an amount in pounds, as a number")
        return field.value

    def choice(self, name: str, choices: type[Choice]) -> Choice:
        """A field that holds one of a few words."""
        text = self.text(name)
        found = next((choice for choice in choices if choice == text), None)
        if found is None:
            self.get(name).expects(f"one of {', '.join(choices)}")
        return found
