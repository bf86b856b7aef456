"""The form that gives a setting a new value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wtforms.validators import Length

from portal.settings.actions import LONGEST_REASON
from portal.settings.domain.kinds import Choice, Pounds
from portal.web.fields import DateField, RadiosField, TextAreaField, TextField, choices, required, required_text
from portal.web.forms import Form

if TYPE_CHECKING:
    from datetime import date

    from portal.settings.domain.definitions import Definition
    from portal.settings.domain.kinds import Value


TOO_LONG = f"Enter a reason of {LONGEST_REASON} characters or fewer"


class ChangeSetting(Form):
    """The day and the reason. The field for the value depends on the setting."""

    first_day = DateField(
        "From which day?",
        [required("Enter the day from which it holds")],
        subject="the first day",
        hint="Today or later. Until then the present value holds.",
    )
    reason = TextAreaField(
        "Reason",
        [
            required_text("Enter the reason"),
            Length(max=LONGEST_REASON, message=TOO_LONG),
        ],
        hint="Who decided, and where it is written down. Do not name a child or a parent.",
        look={"maxlength": LONGEST_REASON},
    )


def change_form(definition: Definition, value: Value, today: date) -> Any:
    """The form of a setting, with its present value and today's date filled in."""
    kind = definition.kind
    if isinstance(kind, Choice):
        field: object = RadiosField("New value", [required("Choose one of the answers")], choices=choices(kind.options))
    else:
        hint = "In whole pounds, the smaller first, like 60, 120" if isinstance(kind, Pounds) else f"In {kind.unit}s"
        look = {"classes": "govuk-input--width-10", "spellcheck": False}
        field = TextField("New value", [required_text("Enter the new value")], hint=hint, look=look)
    form = type("ChangeThisSetting", (ChangeSetting,), {"value": field})
    return form(data={"value": kind.text(value), "first_day": today})
