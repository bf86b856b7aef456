"""The form that finds a pupil."""

from __future__ import annotations

from wtforms.validators import Length

from portal.web.fields import Form, HiddenField, TextField, required_text


def _printable(text: str | None) -> str | None:
    """The text without control characters and code points that no page may hold."""
    return text and "".join(character for character in text if character.isprintable())


class FindForm(Form):
    """Search by the beginning of a surname, or by UPN.

    Sent in the request's body, because names and UPNs must not appear in addresses.
    """

    name = TextField(
        "Surname or UPN",
        [required_text("Enter a surname, the first letters of one, or a UPN"), Length(max=100)],
        hint="The first letters of a surname are enough",
        filters=[_printable],
        look={"classes": "govuk-input--width-20", "autocomplete": "off", "spellcheck": False},
    )
    after = HiddenField()
