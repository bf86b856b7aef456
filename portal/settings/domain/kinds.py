"""The kinds of value a setting may have: a choice, a whole number, or two amounts in pounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.rules.explanations import pluralise

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A value as JSON keeps it.
Value = str | int | list[int]
#: The most an amount may be, in pounds: a slip of the finger, not a penalty, is larger.
LARGEST_AMOUNT = 10_000


class WrongValueError(ValueError):
    """A value the setting does not take. Its text is a sentence for the form."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: each stored name with its words."""

    options: Mapping[str, str]

    def read(self, text: str) -> Value:
        """The value sent.

        Raises:
            WrongValueError: when it is none of the answers.
        """
        if text not in self.options:
            raise WrongValueError("Choose one of the answers.")
        return text

    def words(self, value: Value) -> str:
        """The value in words."""
        return self.options[str(value)]

    def text(self, value: Value) -> str:
        """The value as the form sends it."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two others, both included, with its unit."""

    lowest: int
    highest: int
    unit: str

    def read(self, text: str) -> Value:
        """The number typed.

        Raises:
            WrongValueError: when it is no whole number or lies outside.
        """
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or not self.lowest <= int(text) <= self.highest:
            raise WrongValueError(f"Enter a whole number of {self.unit}s from {self.lowest} to {self.highest}.")
        return int(text)

    def words(self, value: Value) -> str:
        """The number with its unit."""
        return pluralise(int(self.text(value)), self.unit)

    def text(self, value: Value) -> str:
        """The number as the form shows it."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Pounds:
    """Two amounts in whole pounds: the reduced one, and the full one."""

    def read(self, text: str) -> Value:
        """The two amounts typed, such as “60, 120”.

        Raises:
            WrongValueError: when they are not two amounts, or the reduced one is the larger.
        """
        match = re.fullmatch(r"£?([0-9]{1,6})[,/ ]+£?([0-9]{1,6})", text.strip())
        amounts = [int(amount) for amount in match.groups()] if match else []
        if not amounts or not 0 < amounts[0] <= amounts[1] <= LARGEST_AMOUNT:
            raise WrongValueError("Enter two amounts in whole pounds, the smaller first, like 60, 120.")
        return amounts

    def words(self, value: Value) -> str:
        """The amounts in words."""
        reduced, full = self._pair(value)
        return f"£{reduced}, or £{full} when paid later"

    def text(self, value: Value) -> str:
        """The amounts as the form shows them."""
        return ", ".join(str(amount) for amount in self._pair(value))

    def _pair(self, value: Value) -> tuple[int, int]:
        if not isinstance(value, list):
            raise TypeError("Amounts are a list of two numbers.")
        return value[0], value[1]


Kind = Choice | Whole | Pounds
