"""Form fields drawn by the GOV.UK macros, for forms that are sent and for filters in an address."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import wtforms
from flask_wtf.file import FileField as UploadedFile
from markupsafe import Markup
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, StopValidation, ValidationError

from portal.web.templating import govuk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")


def required(message: str) -> InputRequired:
    """A validator for an answer that must be given. `message` says what to do: "Enter your email address"."""
    return InputRequired(message)


def required_text(message: str) -> DataRequired:
    """A validator for text that must hold more than spaces. `message` says what to do."""
    return DataRequired(message)


def choices(pairs: Iterable[tuple[str, str]] | Mapping[str, str]) -> list[SelectChoice]:
    """The choices of a select, radios or checkboxes, from (value, label) pairs."""
    items = pairs.items() if hasattr(pairs, "items") else pairs
    return [SelectChoice(value, label) for value, label in items]


class Govuk(wtforms.Field):
    """The base of every field: it is drawn by a GOV.UK component.

    `look` holds parameters of that component ("classes", "autocomplete", "inputmode", "prefix" …). Its "size" is the
    size of the label or legend: "s", "m" or "l".
    """

    component: ClassVar[str]
    grouped: ClassVar[bool] = False

    def __init__(
        self,
        label: str,
        validators: Sequence[Any] = (),
        *,
        hint: str = "",
        look: Mapping[str, Any] | None = None,
        **field_options: Any,
    ) -> None:
        """Make a field with its visible label."""
        self.look = dict(look or {})
        self.size = self.look.pop("size", "")
        super().__init__(label, list(validators), description=hint, **field_options)

    def __call__(self, **options: Any) -> Markup:
        """The HTML of the field: label, hint, error and input. `options` go to the GOV.UK component."""
        return govuk(self.component, {**self.options(), **self.look, **options})

    __html__ = __str__ = __call__

    @property
    def anchor(self) -> str:
        """The id of the input that an error links to."""
        return str(self.id)

    def options(self) -> dict[str, Any]:
        """The parameters of the GOV.UK component."""
        label = {"text": self.label.text}
        params: dict[str, Any] = {"id": self.id, "idPrefix": self.id, "name": self.name}
        if self.grouped:
            params["fieldset"] = {"legend": {**label, "classes": f"govuk-fieldset__legend--{self.size or 's'}"}}
        else:
            params["label"] = {**label, "classes": f"govuk-label--{self.size}" if self.size else ""}
        if self.description:
            params["hint"] = {"text": self.description}
        if self.errors:
            params["errorMessage"] = {"text": first_error(self.errors)}
        return params


class TextField(Govuk, wtforms.StringField):
    """One line of text, without spaces at its ends."""

    component = "input"
    kind = "text"
    data: str | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Store the text typed, without spaces at its ends."""
        self.data = valuelist[0].strip() if valuelist else self.data

    def options(self) -> dict[str, Any]:
        """Show the text typed again."""
        return {**super().options(), "value": self._value(), "type": self.kind}


class EmailField(TextField):
    """An e-mail address."""

    kind = "email"

    def options(self) -> dict[str, Any]:
        """Switch the spelling check off: an address is no word."""
        return {**super().options(), "spellcheck": False}


class NumberField(Govuk, wtforms.IntegerField):
    """A whole number in a text input: scrolling over a number input would change it by accident."""

    component = "input"

    def options(self) -> dict[str, Any]:
        """Show what was typed again, even when it is not a number."""
        return {**super().options(), "value": self._value(), "inputmode": "numeric", "spellcheck": False}


class PasswordField(Govuk, wtforms.StringField):
    """A password. It can be pasted and shown on request, and is never sent back to the page.

    Give `look={"autocomplete": "new-password"}` where a new one is set.
    """

    component = "password-input"

    def options(self) -> dict[str, Any]:
        """Leave the value out."""
        return {"autocomplete": "current-password", **super().options()}


class TextAreaField(Govuk, wtforms.TextAreaField):
    """Several lines of text. With `look={"maxlength": 500}` it counts the characters left."""

    @property
    def component(self) -> str:  # type: ignore[override]  # WTForms has a class variable; here it depends on `look`
        """The text area, or the one with a character count."""
        return "character-count" if "maxlength" in self.look or "maxwords" in self.look else "textarea"

    def options(self) -> dict[str, Any]:
        """Show the text typed again."""
        return {**super().options(), "value": self._value()}


class SelectField(Govuk, wtforms.SelectField):
    """One choice from a drop-down list. Prefer radios for up to seven choices."""

    component = "select"

    def options(self) -> dict[str, Any]:
        """Show the choice made again."""
        items = [{"value": choice.value, "text": choice.label, "selected": choice.selected} for choice in self.iter_choices()]
        return {**super().options(), "items": items}


class RadiosField(Govuk, wtforms.RadioField):
    """One choice from several, all visible. A choice's `render_kw={"hint": …}` is shown below it."""

    component = "radios"
    grouped = True

    def options(self) -> dict[str, Any]:
        """Show the choice made again."""
        return {**super().options(), "items": _checkable_items(self)}


class CheckboxesField(Govuk, wtforms.SelectMultipleField):
    """Any number of choices, all visible."""

    component = "checkboxes"
    grouped = True

    def options(self) -> dict[str, Any]:
        """Show the choices made again."""
        return {**super().options(), "items": _checkable_items(self)}


class CheckboxField(Govuk, wtforms.BooleanField):
    """A single checkbox with its label beside it."""

    component = "checkboxes"

    def options(self) -> dict[str, Any]:
        """Keep the box ticked. The label and the hint belong to the box, not to a group."""
        params = super().options()
        hint = params.pop("hint", {}).get("text", "")
        del params["label"]
        return {**params, "items": [_checkable_item("y", self.label.text, hint, is_checked=bool(self.data))]}


class FileField(Govuk, UploadedFile):
    """One file, chosen with a button or dropped on it."""

    component = "file-upload"

    def options(self) -> dict[str, Any]:
        """Let the script draw the drop zone. Browsers do not let a page choose the file again."""
        return {**super().options(), "javascript": True}


class HiddenField(wtforms.StringField):
    """A hidden value without an id, so that two forms on a page can hold the same field."""

    def __init__(self, validators: Sequence[Any] = (), **field_options: Any) -> None:
        """Make a field without a label."""
        super().__init__("", list(validators), **field_options)

    def __call__(self, **_options: Any) -> Markup:
        """The HTML of the input alone."""
        return hidden_input(self.name, self._value())


class DayField(Govuk, wtforms.DateField):
    """A day in one box, written 2026-09-07: for filters, where an address holds one value."""

    component = "input"

    def options(self) -> dict[str, Any]:
        """Show what was typed again."""
        return {**super().options(), "value": self._value(), "type": "date"}


class DateField(Govuk, wtforms.Field):
    """A date in three boxes: day, month and year. The month may be a number or a word.

    `subject` names the date in errors: "the date the notice was served". `data` is a date or None. `typed` holds the
    text of each box, and `wrong` the boxes to mark.
    """

    component = "date-input"
    grouped = True
    PARTS = ("day", "month", "year")

    def __init__(self, label: str, validators: Sequence[Any] = (), *, subject: str = "the date", **field_options: Any) -> None:
        """Make a field whose errors name its subject."""
        self.subject = subject
        self.typed: dict[str, str] = {}
        self.wrong: tuple[str, ...] = ()
        super().__init__(label, validators, **field_options)

    def process(self, formdata: Any, data: Any = wtforms.utils.unset_value, extra_filters: Any = None) -> None:
        """Read the three boxes where the form was sent, otherwise take the given date."""
        # WTForms looks for one input named after the field; the boxes have names of their own and are read below.
        super().process(None, data, extra_filters)
        self.raw_data: list[str] = []
        if formdata is None or not any(f"{self.name}-{part}" in formdata for part in self.PARTS):
            return
        self.typed = {part: (formdata.get(f"{self.name}-{part}") or "").strip() for part in self.PARTS}
        self.data = None
        self.raw_data = [value for value in self.typed.values() if value]
        if self.raw_data:
            try:
                self.data = self._read()
            except ValueError as error:
                self.process_errors.append(str(error))

    def _read(self) -> date:
        """The date typed.

        Raises:
            ValueError: with the error message for the page.
        """
        missing = tuple(part for part in self.PARTS if not self.typed[part])
        if missing:
            self.wrong = missing
            message = f"{_capital(self.subject)} must include a {' and a '.join(missing)}"
            raise ValueError(message)
        try:
            day, month, year = int(self.typed["day"]), month_number(self.typed["month"]), int(self.typed["year"])
            return date(year + 2000 if year < 100 else year, month, day)
        except (ValueError, OverflowError) as error:
            self.wrong = self.PARTS
            message = f"{_capital(self.subject)} must be a real date, like 7 9 2026"
            raise ValueError(message) from error

    def pre_validate(self, _form: object) -> None:
        """Stop the validators after an unreadable date, so that the field shows one error."""
        if self.process_errors:
            raise StopValidation

    @property
    def anchor(self) -> str:
        """The id of the first wrong box, otherwise of the day."""
        return f"{self.id}-{self.wrong[0] if self.wrong else 'day'}"

    def options(self) -> dict[str, Any]:
        """Show what was typed again, and mark the wrong boxes."""
        values = self.typed
        if not values and self.data is not None:
            values = {"day": str(self.data.day), "month": str(self.data.month), "year": str(self.data.year)}
        wrong_boxes = (self.wrong or self.PARTS) if self.errors else ()
        items = [
            {
                "name": part,
                "value": values.get(part, ""),
                "classes": f"govuk-input--width-{4 if part == 'year' else 2}{' govuk-input--error' if part in wrong_boxes else ''}",
            }
            for part in self.PARTS
        ]
        return {**super().options(), "namePrefix": self.name, "items": items}


def first_error(errors: Iterable[object]) -> str:
    """The first error of a field. Pages show one error per field at a time."""
    return str(next(iter(errors), ""))


def month_number(typed: str) -> int:
    """The number of a month typed as a number, a name or at least three letters.

    Raises:
        ValueError: when it is no month.
    """
    if typed.isdecimal():
        return int(typed)
    abbreviation = typed.casefold().rstrip(".")
    numbers = [number for number, name in enumerate(MONTHS, start=1) if len(abbreviation) >= 3 and name.startswith(abbreviation)]
    if not numbers:
        raise ValueError(typed)
    return numbers[0]


def check(message: str, holds: Callable[[Any], bool]) -> Callable[[object, wtforms.Field], None]:
    """A validator that shows `message` where `holds` is false: `check("Enter a year", lambda year: …)`."""

    def validator(_form: object, field: wtforms.Field) -> None:
        if not holds(field.data):
            raise ValidationError(message)

    return validator


def _checkable_item(value: str, label: str, hint: str, *, is_checked: bool) -> dict[str, Any]:
    return {"value": value, "text": label, "checked": is_checked, **({"hint": {"text": hint}} if hint else {})}


def _checkable_items(field: wtforms.SelectField | wtforms.SelectMultipleField) -> list[dict[str, Any]]:
    return [
        _checkable_item(choice.value, choice.label, (choice.render_kw or {}).get("hint", ""), is_checked=choice.selected)
        for choice in field.iter_choices()
    ]


def hidden_input(name: str, value: str) -> Markup:
    """A hidden input without an id, so that two forms fit on a page."""
    return HIDDEN.format(name, value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
