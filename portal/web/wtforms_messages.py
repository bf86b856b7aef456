"""Plain words for the built-in messages of WTForms.

Each says what to do, never only what was wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAIN_MESSAGES: Mapping[str, str] = {
    "This field is required.": "Enter an answer",
    "Field must be at least %(min)d character long.": "Enter at least %(min)d character",
    "Field must be at least %(min)d characters long.": "Enter at least %(min)d characters",
    "Field cannot be longer than %(max)d character.": "Shorten this to %(max)d character or fewer",
    "Field cannot be longer than %(max)d characters.": "Shorten this to %(max)d characters or fewer",
    "Field must be exactly %(max)d character long.": "Enter exactly %(max)d character",
    "Field must be exactly %(max)d characters long.": "Enter exactly %(max)d characters",
    "Field must be between %(min)d and %(max)d characters long.": "Enter between %(min)d and %(max)d characters",
    "Number must be at least %(min)s.": "Enter a number that is %(min)s or more",
    "Number must be at most %(max)s.": "Enter a number that is %(max)s or less",
    "Number must be between %(min)s and %(max)s.": "Enter a number from %(min)s to %(max)s",
    "Not a valid integer value.": "Enter a whole number, like 12",
    "Not a valid date value.": "Enter a day like 2026-09-07",
    "Not a valid decimal value.": "Enter a number, like 12.5",
    "Not a valid float value.": "Enter a number, like 12.5",
    "Not a valid choice.": "Choose one of the answers listed",
    "Not a valid choice": "Choose one of the answers listed",
    "Invalid Choice: could not coerce.": "Choose one of the answers listed",
    "Invalid choice(s): one or more data inputs could not be coerced.": "Choose from the answers listed",
    "'%(value)s' is not a valid choice for this field.": "Choose from the answers listed",
    "'%(value)s' are not valid choices for this field.": "Choose from the answers listed",
    "Invalid email address.": "Enter an email address in the right form, like name@example.org",
    "Invalid input.": "Enter this in the form shown",
    "Invalid value, must be one of: %(values)s.": "Enter one of these: %(values)s",
    "Invalid value, can't be any of: %(values)s.": "Enter something other than: %(values)s",
    "File does not have an approved extension: {extensions}": "Choose a file of one of these kinds: {extensions}",
    "File does not have an approved extension.": "Choose a file of one of the kinds named",
    "File must be between {min_size} and {max_size} bytes.": "Choose a file of {min_size} to {max_size} bytes",
    "CSRF failed.": "Send the form again: the page was open for a long time",
    "CSRF token missing.": "Send the form again: the page was open for a long time",
    "CSRF token expired.": "Send the form again: the page was open for a long time",
    "Invalid CSRF Token.": "Send the form again: the page was open for a long time",
}


class PlainWords:
    """The translations object WTForms asks for its messages."""

    def gettext(self, message: str) -> str:
        """The message in plain words, or unchanged where it is not one of WTForms' own."""
        return PLAIN_MESSAGES.get(message, message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The message for a number, singular or plural."""
        return self.gettext(singular if count == 1 else plural)
