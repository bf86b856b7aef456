"""The forms of the accounts' pages: fields, formats and error messages. Who may do what is decided elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, Regexp, ValidationError

from portal.accounts.domain.passwords import weakness
from portal.security.permissions import ROLES, Role
from portal.web.fields import (
    CheckboxesField,
    DateField,
    EmailField,
    HiddenField,
    PasswordField,
    RadiosField,
    TextField,
    check,
    choices,
    required,
    required_text,
)
from portal.web.forms import FilterForm, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
LONGEST_EMAIL = 254
LONGEST_NAME = 120

IS_EMAIL = check(
    "Enter an email address in the form name@example.org",
    lambda typed: len(typed or "") <= LONGEST_EMAIL and (typed or "").isprintable() and bool(_EMAIL.fullmatch(typed or "")),
)
#: These values end up in mail headers and in lists, where a line break could start a header or a row.
IS_ONE_LINE = check("Enter this on one line, without special signs", lambda typed: (typed or "").isprintable())
IS_SHORT = Length(max=LONGEST_NAME, message=f"Shorten this to {LONGEST_NAME} characters or fewer")
SIX_DIGITS = "Enter the 6 digits your app shows"


def name_field(label: str, missing: str, **look: Any) -> Any:
    """A text field for a name on one line, at most 120 characters. `missing` is the message for an empty one."""
    return TextField(label, [required_text(missing), IS_SHORT, IS_ONE_LINE], look={"spellcheck": False, **look})


def own_email_field(label: str = "Email address") -> Any:
    """A field for one's own email address, which password managers treat as the user name."""
    return EmailField(label, [required_text("Enter your email address"), IS_EMAIL], look={"autocomplete": "username"})


def current_password_field(label: str = "Password") -> PasswordField:
    """A field for the current password."""
    return PasswordField(label, [required("Enter your password")])


def new_password_field(label: str, about: Callable[[Any], Sequence[str]]) -> PasswordField:
    """A field for choosing a password. `about` returns words it must not be made of.

    Long passwords and pasted ones are allowed.
    """

    def check_strength(form: Any, field: Any) -> None:
        message = weakness(field.data or "", about(form))
        if message:
            raise ValidationError(message)

    hint = "12 characters or more. Three words that have nothing to do with you or your work are a good one."
    return PasswordField(
        label, [required("Enter a new password"), check_strength], hint=hint, look={"autocomplete": "new-password"}
    )


def code_field(hint: str) -> Any:
    """A field for the six digits of an authenticator app. Spaces are ignored."""
    params = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": False, "classes": "govuk-input--width-10"}
    validators = [required_text(SIX_DIGITS), Length(max=40, message=SIX_DIGITS)]
    return TextField("Code from your authenticator app", validators, hint=hint, look=params)


class SignInForm(Form):
    """Email address and password."""

    email = own_email_field()
    password = current_password_field()


class CodeForm(Form):
    """Six digits from the authenticator app."""

    code = code_field("6 digits. The app shows new ones every half minute.")


class RecoveryForm(Form):
    """A recovery code in place of the app."""

    code: Any = TextField(
        "Recovery code",
        [required_text("Enter one of your recovery codes"), Length(max=40, message="Enter one recovery code")],
        hint="For example ABCDE-FGHJK. Each code works once.",
        look={"autocomplete": "off", "spellcheck": False, "classes": "govuk-input--width-20"},
    )


class SetUpForm(Form):
    """The first six digits of a new authenticator secret, and the sealed secret they are checked against."""

    offer = HiddenField()
    code = code_field("6 digits, to show that the app and the portal agree.")


class ReplaceForm(SetUpForm):
    """A new authenticator secret that replaces a working one. It asks for the password again."""

    password = current_password_field("Your password")


class PasswordForm(Form):
    """The password again, so that nobody makes recovery codes at an unattended screen."""

    password = current_password_field("Your password")


class AskResetForm(Form):
    """The email address of the account whose password is forgotten."""

    email = own_email_field()


class ChoosePasswordForm(Form):
    """A new password, which must not be made of the owner's words in `about`."""

    about: tuple[str, ...] = ()
    password = new_password_field("New password", lambda form: form.about)


class ChangePasswordForm(Form):
    """The old password and the new one, which must not be made of the owner's words in `about`."""

    about: tuple[str, ...] = ()
    current = current_password_field("Your password now")
    password = new_password_field("New password", lambda form: form.about)


class AcceptForm(Form):
    """A new account by invitation. The password must not be made of its owner's words or of `about`."""

    about: tuple[str, ...] = ()
    email = own_email_field("Email address the invitation was sent to")
    name = name_field("Your name", "Enter your name", autocomplete="name")
    password = new_password_field("Choose a password", lambda form: (form.email.data or "", form.name.data or "", *form.about))


class PersonForm(Form):
    """The name and email address of a person, typed by an administrator."""

    name = name_field("Full name", "Enter the person’s name")
    email: Any = EmailField("Email address", [required_text("Enter the person’s email address"), IS_EMAIL])


class ReachForm(Form):
    """A membership's role, schools, agency and last day.

    The server sets the roles and schools to choose from before it reads the posted values, so that a changed
    form cannot add one.
    """

    role = RadiosField("Role", [required("Select a role")])
    school_ids = CheckboxesField("Schools", hint="For school roles only. Select every school this person works for.")
    agency: Any = TextField("Agency", [Optional(), IS_SHORT, IS_ONE_LINE], hint="For partner practitioners only.")
    until = DateField(
        "Last day of access",
        [Optional()],
        subject="the last day of access",
        hint="Partners need one. For others, leave it empty. For example, 31 8 2027.",
    )

    def offer(self, roles: Sequence[Role], schools: Mapping[UUID, str]) -> None:
        """Set the roles and schools to choose from. Each role's description is its hint."""
        self.role.choices = [SelectChoice(role.value, ROLES[role][0], render_kw={"hint": ROLES[role][1]}) for role in roles]
        self.school_ids.choices = choices((str(school_id), name) for school_id, name in schools.items())


class InviteForm(ReachForm, PersonForm):
    """A person to invite and the membership they are invited to."""


def _printable(typed: str | None) -> str | None:
    """The text without what PostgreSQL cannot store: a search for it would fail instead of finding nothing."""
    return typed and "".join(character for character in typed if character.isprintable())[:100]


class PeopleFilters(FilterForm):
    """The filter of the list of people."""

    name_or_email: Any = TextField(
        "Name or email address", name="named", filters=[_printable], look={"classes": "govuk-input--width-20", "spellcheck": False}
    )


class AuthorityForm(Form):
    """A new authority."""

    name = name_field("Name of the authority", "Enter the authority’s name")
    slug: Any = TextField(
        "Short name",
        [
            required_text("Enter a short name"),
            Regexp(r"[a-z0-9-]{2,60}\Z", message="Enter a short name of lower-case letters, digits and dashes, like north-moor"),
        ],
        hint="Lower-case letters, digits and dashes, like north-moor. It is used on the command line.",
        look={"spellcheck": False},
    )
    la_code: Any = TextField(
        "Local authority code",
        [required_text("Enter the 3-digit code"), Regexp(r"[0-9]{3}\Z", message="Enter a code of 3 digits, like 330")],
        hint="3 digits, from the Department for Education’s list.",
        look={"inputmode": "numeric", "classes": "govuk-input--width-3"},
    )
