"""What may be typed on the accounts' pages: shapes and their error messages, no policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, Regexp, ValidationError

from portal.accounts.passwords import weakness
from portal.permissions import ROLES, Role
from portal.web.fields import (
    CheckboxesField,
    DateField,
    EmailField,
    Form,
    HiddenField,
    PasswordField,
    RadiosField,
    TextField,
    check,
    choices,
    required,
    required_words,
)

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
#: What is typed here ends up in headers and lists.
IS_ONE_LINE = check("Enter this on one line, without special signs", lambda typed: (typed or "").isprintable())
IS_SHORT = Length(max=LONGEST_NAME, message=f"Shorten this to {LONGEST_NAME} characters or fewer")
SIX_DIGITS = "Enter the 6 digits your app shows"


def named(label: str, missing: str, **look: Any) -> Any:
    """A field for a name, on one line of at most 120 characters."""
    return TextField(label, [required_words(missing), IS_SHORT, IS_ONE_LINE], look={"spellcheck": False, **look})


def own_email(label: str = "Email address") -> Any:
    """A field for someone's own email address, which password managers know as their user name."""
    return EmailField(label, [required_words("Enter your email address"), IS_EMAIL], look={"autocomplete": "username"})


def old_password(label: str = "Password") -> PasswordField:
    """A field for the password someone has."""
    return PasswordField(label, [required("Enter your password")])


def new_password(label: str, about: Callable[[Any], Sequence[str]]) -> PasswordField:
    """A field for choosing a password; `about` gives words it must not be made of. Long ones and paste are welcome."""

    def is_strong(form: Any, field: Any) -> None:
        wrong = weakness(field.data or "", about(form))
        if wrong:
            raise ValidationError(wrong)

    hint = "12 characters or more. Three words that have nothing to do with you or your work are a good one."
    return PasswordField(label, [required("Enter a new password"), is_strong], hint=hint, look={"autocomplete": "new-password"})


def digits(hint: str) -> Any:
    """A field for the six digits of an authenticator app; spaces do not matter."""
    look = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": False, "classes": "govuk-input--width-10"}
    rules = [required_words(SIX_DIGITS), Length(max=40, message=SIX_DIGITS)]
    return TextField("Code from your authenticator app", rules, hint=hint, look=look)


class SignInForm(Form):
    """Email address and password."""

    email = own_email()
    password = old_password()


class CodeForm(Form):
    """Six digits from the authenticator app."""

    code = digits("6 digits. The app shows new ones every half minute.")


class RecoveryForm(Form):
    """A recovery code in place of the app."""

    code: Any = TextField(
        "Recovery code",
        [required_words("Enter one of your recovery codes"), Length(max=40, message="Enter one recovery code")],
        hint="For example ABCDE-FGHJK. Each code works once.",
        look={"autocomplete": "off", "spellcheck": False, "classes": "govuk-input--width-20"},
    )


class SetUpForm(Form):
    """The first six digits of a new authenticator secret, and the sealed secret they prove."""

    offer = HiddenField()
    code = digits("6 digits, to show that the app and the portal agree.")


class ReplaceForm(SetUpForm):
    """A new authenticator secret in place of one that works: the password again."""

    password = old_password("Your password")


class PasswordForm(Form):
    """The password again, before something that must not happen on an unattended screen."""

    password = old_password("Your password")


class AskResetForm(Form):
    """The email address whose password is forgotten."""

    email = own_email()


class ChoosePasswordForm(Form):
    """A new password; `about` are the words of its owner, which it must not be made of."""

    about: tuple[str, ...] = ()
    password = new_password("New password", lambda form: form.about)


class ChangePasswordForm(Form):
    """The old password and the new one; `about` as above."""

    about: tuple[str, ...] = ()
    current = old_password("Your password now")
    password = new_password("New password", lambda form: form.about)


class AcceptForm(Form):
    """A new account by invitation: the address it was sent to, a name and a password."""

    email = own_email("Email address the invitation was sent to")
    name = named("Your name", "Enter your name", autocomplete="name")
    password = new_password("Choose a password", lambda form: (form.email.data or "", form.name.data or ""))


class PersonForm(Form):
    """Someone's name and email address, typed by another."""

    name = named("Full name", "Enter the person’s name")
    email: Any = EmailField("Email address", [required_words("Enter the person’s email address"), IS_EMAIL])


class ReachForm(Form):
    """What a membership reaches. Roles and schools are set by the server before anything posted is looked at."""

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
        """Set what may be chosen, each role with its sentence."""
        self.role.choices = [SelectChoice(role.value, ROLES[role][0], render_kw={"hint": ROLES[role][1]}) for role in roles]
        self.school_ids.choices = choices((str(school_id), name) for school_id, name in schools.items())


class InviteForm(ReachForm, PersonForm):
    """Who is invited, and to what."""


class AuthorityForm(Form):
    """A new authority."""

    name = named("Name of the authority", "Enter the authority’s name")
    slug: Any = TextField(
        "Short name",
        [
            required_words("Enter a short name"),
            Regexp(r"[a-z0-9-]{2,60}\Z", message="Enter a short name of lower-case letters, digits and dashes, like north-moor"),
        ],
        hint="Lower-case letters, digits and dashes, like north-moor. It is used on the command line.",
        look={"spellcheck": False},
    )
    la_code: Any = TextField(
        "Local authority code",
        [required_words("Enter the 3-digit code"), Regexp(r"[0-9]{3}\Z", message="Enter a code of 3 digits, like 330")],
        hint="3 digits, from the Department for Education’s list.",
        look={"inputmode": "numeric", "classes": "govuk-input--width-3"},
    )
