"""What may be typed to find a pupil."""

from __future__ import annotations

from wtforms.validators import Length

from portal.web.fields import Form, HiddenField, TextField, required_words


def _printable(text: str | None) -> str | None:
    """Without control signs and code points no page may hold."""
    return text and "".join(sign for sign in text if sign.isprintable())


class FindForm(Form):
    """A surname, or the beginning of one, or a UPN. Sent in the form's body: names and UPNs are kept out of addresses."""

    name = TextField(
        "Surname or UPN",
        [required_words("Enter a surname, the first letters of one, or a UPN"), Length(max=100)],
        hint="The first letters of a surname are enough",
        filters=[_printable],
        look={"classes": "govuk-input--width-20", "autocomplete": "off", "spellcheck": False},
    )
    after = HiddenField()
