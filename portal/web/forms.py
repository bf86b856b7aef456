"""Forms: those that are sent, and the filters in a page's address; and where a refusal is shown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import abort, flash, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from portal.platform.refusals import RefusedError
from portal.web.fields import Govuk, SelectField, first_error, hidden_input
from portal.web.paging import PAGING_ARGUMENTS, WrongAddressError
from portal.web.templating import govuk
from portal.web.wtforms_messages import PlainWords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    import wtforms
    from markupsafe import Markup

PROBLEM = "There is a problem"


class Form(FlaskForm):
    """The base of every form: plain words, one error per field, and an error summary."""

    class Meta(FlaskForm.Meta):
        """Replaces the messages of WTForms and checks what was sent."""

        def get_translations(self, _form: object) -> PlainWords:
            """Plain words for the built-in messages of fields and validators."""
            return PlainWords()

        def wrap_formdata(self, form: wtforms.Form, formdata: Any) -> Any:
            """The values sent. A NUL is answered 400: nobody types it, and PostgreSQL cannot store it."""
            submitted = super().wrap_formdata(form, formdata)
            values = [value for _name, named_values in submitted.lists() for value in named_values] if submitted else []
            if any("\0" in (value if isinstance(value, str) else value.filename or "") for value in values):
                abort(400)
            return submitted

    def has_errors(self) -> bool:
        """Was this form sent with errors?"""
        return bool(self.errors)

    def summary(self) -> Markup:
        """The error summary: a link to each wrong field, with the same words as beside it."""
        linked_errors = [
            {"text": first_error(field.errors), "href": f"#{getattr(field, 'anchor', field.id)}"}
            for field in self
            if field.errors and isinstance(field, Govuk)
        ]
        other_errors = [{"text": first_error(field.errors)} for field in self if field.errors and not isinstance(field, Govuk)]
        other_errors += [{"text": str(words)} for words in self.form_errors]
        return govuk("error-summary", {"titleText": PROBLEM, "errorList": linked_errors + other_errors})

    def hidden_tag(self, *_fields: str) -> Markup:
        """The CSRF token as a hidden input, without an id so that two forms fit on a page."""
        return hidden_input("csrf_token", self.csrf_token._value() if "csrf_token" in self else "")  # noqa: SLF001  WTForms offers no public way to the value

    def add_error(self, name: str | None, message: str) -> None:
        """Add an error to the field called `name`; to the whole form where it has none."""
        if name is None or name not in self:
            self.form_errors.append(message)
            return
        field = self[name]
        field.errors = [*field.errors, message]

    @contextmanager
    def showing_refusals(self) -> Iterator[None]:
        """Show a refusal of an action in the block at the field it names.

        The block ends there, and the view goes on to draw the form again.
        """
        try:
            yield
        except RefusedError as refusal:
            self.add_error(refusal.field, refusal.sentence)


class FilterForm(Form):
    """The filters in the address of a page. They are drawn, read and checked as the fields of any form.

    A filter that is left empty is as if it were not there: its default holds.
    """

    class Meta(Form.Meta):
        """An address changes nothing, so it carries no token."""

        csrf = False

    def __init__(self, arguments: Mapping[str, str], **defaults: Any) -> None:
        """Read the filters from the arguments of an address."""
        self.arguments = arguments
        super().__init__(formdata=MultiDict({name: value for name, value in arguments.items() if value}), data=defaults)
        for field in self:
            if isinstance(field, SelectField) and field.data is None:
                field.data = ""

    def check(self) -> Self:
        """Refuse an address that holds another argument than these filters, or a value they do not offer.

        Raises:
            WrongAddressError: with a sentence that names the filter.
        """
        unknown = set(self.arguments) - {field.name for field in self} - PAGING_ARGUMENTS
        if unknown or any(len(values) > 1 for values in _repeated(self.arguments)):
            raise WrongAddressError("The address holds a filter that this page does not have, or holds one twice.")
        if not self.validate():
            field = next(field for field in self if field.errors)
            raise WrongAddressError(f"{field.label.text}: {first_error(field.errors)}.")
        return self

    @property
    def in_address(self) -> dict[str, str]:
        """The filters in the address, as it holds them: for links that keep them."""
        return {field.name: self.arguments[field.name] for field in self if self.arguments.get(field.name)}


def _repeated(arguments: Mapping[str, str]) -> Iterator[list[str]]:
    if isinstance(arguments, MultiDict):
        for _, values in arguments.lists():
            yield values


@contextmanager
def flashing_refusals() -> Iterator[None]:
    """Show a refusal of an action in the block as a message on the next page.

    For buttons, which have no field to show it at.
    """
    try:
        yield
    except RefusedError as refusal:
        flash(refusal.sentence, "problem")


def is_post() -> bool:
    """Did this request send a form?"""
    return request.method == "POST"
