"""Form fields drawn by the GOV.UK macros: label, hint, error, value kept, and an error summary that leads to each field."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import wtforms
from flask import abort, request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField as UploadedFile
from markupsafe import Markup
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, StopValidation, ValidationError

from portal.web.pages import govuk
from portal.web.wording import PlainWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


PROBLEM = "There is a problem"
HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
CENTURY = 100


def required(message: str) -> InputRequired:
    """Something has to be typed or chosen; the message says what: "Enter your email address"."""
    return InputRequired(message)


def required_words(message: str) -> DataRequired:
    """Something other than spaces has to be typed; the message says what."""
    return DataRequired(message)


def choices(pairs: Iterable[tuple[str, str]] | Mapping[str, str]) -> list[SelectChoice]:
    """Choices for a select, radios or checkboxes from (value, words) pairs."""
    listed = pairs.items() if hasattr(pairs, "items") else pairs
    return [SelectChoice(value, words) for value, words in listed]


class Govuk(wtforms.Field):
    """What every field shares: the component that draws it, its hint, and options passed to that component.

    `look` holds GOV.UK options ("classes", "autocomplete", "inputmode", "prefix" …); `legend_size` is for groups.
    """

    component: ClassVar[str]
    grouped: ClassVar[bool] = False

    def __init__(
        self, label: str, validators: Sequence[Any] = (), *, hint: str = "", look: Mapping[str, Any] | None = None, **rest: Any
    ) -> None:
        """Make a field with its visible label."""
        self.look = dict(look or {})
        self.size = self.look.pop("size", "")
        super().__init__(label, list(validators), description=hint, **rest)

    def __call__(self, **options: Any) -> Markup:
        """The field as HTML: label, hint, error and input in one; `options` go to the GOV.UK component."""
        return govuk(self.component, {**self.options(), **self.look, **options})

    __html__ = __str__ = __call__

    @property
    def anchor(self) -> str:
        """The id of the input an error leads to."""
        return str(self.id)

    def options(self) -> dict[str, Any]:
        """What the GOV.UK component is told."""
        title = {"text": self.label.text}
        made: dict[str, Any] = {"id": self.id, "idPrefix": self.id, "name": self.name}
        if self.grouped:
            made["fieldset"] = {"legend": {**title, "classes": f"govuk-fieldset__legend--{self.size or 's'}"}}
        else:
            made["label"] = {**title, "classes": f"govuk-label--{self.size}" if self.size else ""}
        if self.description:
            made["hint"] = {"text": self.description}
        if self.errors:
            made["errorMessage"] = {"text": first_error(self.errors)}
        return made


class TextField(Govuk, wtforms.StringField):
    """One line of text. Spaces at its ends are dropped."""

    component = "input"
    kind = "text"
    data: str | None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed, trimmed."""
        self.data = valuelist[0].strip() if valuelist else self.data

    def options(self) -> dict[str, Any]:
        """The text typed is kept."""
        return {**super().options(), "value": self._value(), "type": self.kind}


class EmailField(TextField):
    """An e-mail address."""

    kind = "email"

    def options(self) -> dict[str, Any]:
        """No spelling help for an address."""
        return {**super().options(), "spellcheck": False}


class NumberField(Govuk, wtforms.IntegerField):
    """A whole number, typed as text so that nothing changes it by accident."""

    component = "input"

    def options(self) -> dict[str, Any]:
        """What was typed is kept, also when it is no number."""
        return {**super().options(), "value": self._value(), "inputmode": "numeric", "spellcheck": False}


class PasswordField(Govuk, wtforms.StringField):
    """A password: pasted, shown on request, never sent back. `look={"autocomplete": "new-password"}` when it is new."""

    component = "password-input"

    def options(self) -> dict[str, Any]:
        """The value is never kept."""
        return {"autocomplete": "current-password", **super().options()}


class TextAreaField(Govuk, wtforms.TextAreaField):
    """Several lines of text; with `look={"maxlength": 500}` it counts what is left."""

    @property
    def component(self) -> str:  # type: ignore[override]  # chosen by the field's own look
        """A text area, or one that counts."""
        return "character-count" if "maxlength" in self.look or "maxwords" in self.look else "textarea"

    def options(self) -> dict[str, Any]:
        """The text typed is kept."""
        return {**super().options(), "value": self._value()}


class SelectField(Govuk, wtforms.SelectField):
    """One of several, from a list that opens. Prefer radios for up to seven."""

    component = "select"

    def options(self) -> dict[str, Any]:
        """The choice made is kept."""
        items = [{"value": one.value, "text": one.label, "selected": one.selected} for one in self.iter_choices()]
        return {**super().options(), "items": items}


class RadiosField(Govuk, wtforms.RadioField):
    """One of several, all in view; a choice's `render_kw={"hint": …}` stands under it."""

    component = "radios"
    grouped = True

    def options(self) -> dict[str, Any]:
        """The choice made is kept."""
        return {
            **super().options(),
            "items": [_item(one.value, one.label, one.selected, one.render_kw) for one in self.iter_choices()],
        }


class CheckboxesField(Govuk, wtforms.SelectMultipleField):
    """Any of several, all in view."""

    component = "checkboxes"
    grouped = True

    def options(self) -> dict[str, Any]:
        """The choices made are kept."""
        return {
            **super().options(),
            "items": [_item(one.value, one.label, one.selected, one.render_kw) for one in self.iter_choices()],
        }


class CheckboxField(Govuk, wtforms.BooleanField):
    """One thing to tick; the label stands beside the box."""

    component = "checkboxes"

    def options(self) -> dict[str, Any]:
        """Ticked stays ticked. The label belongs to the box, and a hint stands under it."""
        made = super().options()
        hint = made.pop("hint", {}).get("text", "")
        del made["label"]
        return {**made, "items": [_item("y", self.label.text, bool(self.data), {"hint": hint})]}


class FileField(Govuk, UploadedFile):
    """One file, chosen with a button or dropped."""

    component = "file-upload"

    def options(self) -> dict[str, Any]:
        """A browser never sends a chosen file's place back, so there is nothing to keep."""
        return {**super().options(), "javascript": True}


class HiddenField(wtforms.StringField):
    """A value sent along unseen, without an id, so that two forms of one page may carry the same."""

    def __init__(self, validators: Sequence[Any] = (), **rest: Any) -> None:
        """Make a field without a label."""
        super().__init__("", list(validators), **rest)

    def __call__(self, **_options: Any) -> Markup:
        """The input alone."""
        return _hidden(self.name, self._value())


class DateField(Govuk, wtforms.Field):
    """A day in three boxes. `subject` names it inside errors: "the date the notice was served".

    The month may be typed as a number or a word. `data` is a date or None; what was typed is kept.
    """

    component = "date-input"
    grouped = True
    PARTS = ("day", "month", "year")

    def __init__(self, label: str, validators: Sequence[Any] = (), *, subject: str = "the date", **rest: Any) -> None:
        """Make a field whose errors speak of its subject."""
        self.subject = subject
        self.typed: dict[str, str] = {}
        self.wrong: tuple[str, ...] = ()
        super().__init__(label, validators, **rest)

    def process(self, formdata: Any, data: Any = wtforms.utils.unset_value, extra_filters: Any = None) -> None:
        """Take the three boxes where the form was sent, else the given day."""
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
        """The day typed.

        Raises:
            ValueError: with the words for the person who typed it.
        """
        missing = tuple(part for part in self.PARTS if not self.typed[part])
        if missing:
            self.wrong = missing
            message = f"{_capital(self.subject)} must include a {' and a '.join(missing)}"
            raise ValueError(message)
        try:
            day, month, year = int(self.typed["day"]), month_number(self.typed["month"]), int(self.typed["year"])
            return date(year + 2000 if year < CENTURY else year, month, day)
        except (ValueError, OverflowError) as error:
            self.wrong = self.PARTS
            message = f"{_capital(self.subject)} must be a real date, like 7 9 2026"
            raise ValueError(message) from error

    def pre_validate(self, _form: object) -> None:
        """A day that could not be read is told of once, and no further rule asked."""
        if self.process_errors:
            raise StopValidation

    @property
    def anchor(self) -> str:
        """The first box that is wrong."""
        return f"{self.id}-{self.wrong[0] if self.wrong else 'day'}"

    def options(self) -> dict[str, Any]:
        """What was typed is kept, and the boxes that are wrong are marked."""
        shown = self.typed
        if not shown and self.data is not None:
            shown = {"day": str(self.data.day), "month": str(self.data.month), "year": str(self.data.year)}
        wrong = (self.wrong or self.PARTS) if self.errors else ()
        items = [
            {
                "name": part,
                "value": shown.get(part, ""),
                "classes": f"govuk-input--width-{4 if part == 'year' else 2}{' govuk-input--error' if part in wrong else ''}",
            }
            for part in self.PARTS
        ]
        return {**super().options(), "namePrefix": self.name, "items": items}


class Form(FlaskForm):
    """Every form of the portal: plain words, one error a field, and the summary that leads to each."""

    class Meta(FlaskForm.Meta):
        """Says what WTForms says in our words."""

        def get_translations(self, _form: object) -> PlainWords:
            """Our wording of the messages fields and validators have by themselves."""
            return PlainWords()

        def wrap_formdata(self, form: wtforms.Form, formdata: Any) -> Any:
            """What was sent. A NUL, which no person types and the database cannot keep, is a 400."""
            found = super().wrap_formdata(form, formdata)
            values = [one for _name, some in found.lists() for one in some] if found else []
            if any("\0" in (one if isinstance(one, str) else one.filename or "") for one in values):
                abort(400)
            return found

    def failed(self) -> bool:
        """Was this form sent, and is something in it to be put right?"""
        return bool(self.errors)

    def summary(self) -> Markup:
        """The error summary: a link to each field that is wrong, in the words beside it. Empty when none is."""
        found = [
            {"text": first_error(field.errors), "href": f"#{getattr(field, 'anchor', field.id)}"}
            for field in self
            if field.errors and isinstance(field, Govuk)
        ]
        others = [{"text": first_error(field.errors)} for field in self if field.errors and not isinstance(field, Govuk)]
        others += [{"text": str(words)} for words in self.form_errors]
        return govuk("error-summary", {"titleText": PROBLEM, "errorList": found + others})

    def hidden_tag(self, *_fields: str) -> Markup:
        """The token against forged requests, without an id."""
        return _hidden("csrf_token", self.csrf_token._value() if "csrf_token" in self else "")  # noqa: SLF001  WTForms' own way to a value

    def refuse(self, name: str, message: str) -> None:
        """Tell of something only an action could find out, beside the field it belongs to."""
        field = self[name]
        field.errors = [*field.errors, message]


def sent() -> bool:
    """Was a form sent with this request?"""
    return request.method == "POST"


def first_error(errors: Iterable[object]) -> str:
    """The first of a field's errors: one at a time is enough to go on with."""
    return str(next(iter(errors), ""))


def month_number(typed: str) -> int:
    """The month a person typed: a number, a name, or at least three letters of one.

    Raises:
        ValueError: when it is none.
    """
    if typed.isdecimal():
        return int(typed)
    short = typed.casefold().rstrip(".")
    found = [number for number, name in enumerate(MONTHS, start=1) if len(short) >= len("jan") and name.startswith(short)]
    if not found:
        raise ValueError(typed)
    return found[0]


def check(message: str, holds: Callable[[Any], bool]) -> Callable[[object, wtforms.Field], None]:
    """A validator from a yes-or-no question about the value: `check("Enter a year group from 0 to 13", lambda year: …)`."""

    def validator(_form: object, field: wtforms.Field) -> None:
        if not holds(field.data):
            raise ValidationError(message)

    return validator


def _item(value: str, words: str, chosen: bool, more: Mapping[str, Any] | None = None) -> dict[str, Any]:  # noqa: FBT001  what GOV.UK's item is made of
    hint = (more or {}).get("hint")
    return {"value": value, "text": words, "checked": chosen, **({"hint": {"text": hint}} if hint else {})}


def _hidden(name: str, value: str) -> Markup:
    return HIDDEN.format(name, value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
