"""`portal people`: the first administrator, and what only those who run the portal may do for a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from portal.accounts.actions import people as people_actions
from portal.accounts.actions.first_people import invite_first_administrator
from portal.accounts.actions.second_factors import reset_second_factor
from portal.accounts.actions.sign_ins import end_sign_ins_of_colleague
from portal.accounts.queries.principals import (
    authority_by_slug,
    command_line_scope,
    person_by_email,
    platform_scope,
    sign_in_scope,
)
from portal.db.work import unit_of_work
from portal.platform.command_line import CommandFailedError, CommandLine, Noun, authority_option
from portal.platform.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

#: The short name of the platform itself, whose first person is an operator.
PLATFORM_SLUG = "platform"
email_option = click.option("--email", required=True, help="the e-mail address of their account")


@click.group(cls=Noun)
def people() -> None:
    """Invite the first administrator, and help a person whom no administrator may help alone."""


@people.command(name="add-first")
@authority_option
@click.option("--name", required=True, help="the person's name")
@click.option("--email", required=True, help="where the invitation is sent")
@click.pass_obj
def add_first(command_line: CommandLine, *, authority: str, name: str, email: str) -> dict[str, object]:
    """Invite an authority's first administrator, and print the link. For the first operator, name the authority "platform"."""
    if re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", email) is None or not name.strip() or not name.isprintable():
        message = "Enter the person's name, and an e-mail address in the form name@example.org."
        raise CommandFailedError(message)
    links = []

    def link_for(token: str) -> str:
        links.append(f"{command_line.settings.address}/invitations/{token}")
        return links[-1]

    with command_line.database(), unit_of_work(command_line_scope(_authority_id(authority))):
        try:
            invitation = invite_first_administrator(name, email, link_for)
        except RefusedError as error:
            raise CommandFailedError(str(error)) from error
    return {"invited": {"role": invitation.role, "link": links[-1], "expires_at": invitation.expires_at}}


def _authority_id(slug: str) -> UUID:
    if slug == PLATFORM_SLUG:
        with unit_of_work(platform_scope()):
            people_actions.ensure_platform()
        return platform_scope().authority_id
    with unit_of_work(None):
        authority = authority_by_slug(slug)
    if authority is None:
        message = f"There is no authority {slug}. Add it with: portal authority add {slug} --name NAME --la-code CODE"
        raise CommandFailedError(message)
    return authority.id


@people.command(name="reset-second-factor")
@email_option
@click.pass_obj
def reset_factor(command_line: CommandLine, *, email: str) -> dict[str, object]:
    """Remove a lost second factor of a person with roles in several authorities. Make sure first that it is really them."""
    return _act_on(command_line, email, reset_second_factor, "second factor removed")


@people.command()
@email_option
@click.pass_obj
def reinstate(command_line: CommandLine, *, email: str) -> dict[str, object]:
    """Open the suspended account of a person with roles in several authorities."""
    return _act_on(command_line, email, people_actions.reinstate, "account opened")


@people.command(name="end-sign-ins")
@email_option
@click.pass_obj
def end_sign_ins(command_line: CommandLine, *, email: str) -> dict[str, object]:
    """End every sign-in of a person, wherever they are signed in."""
    return _act_on(command_line, email, end_sign_ins_of_colleague, "sign-ins ended")


def _act_on(command_line: CommandLine, email: str, act: Callable[[UUID], object], done: str) -> dict[str, object]:
    """Act on a whole person. It is recorded in every authority they have a role in."""
    with command_line.database():
        with unit_of_work(None):
            person = person_by_email(email)
            scope = sign_in_scope(person.id if person else None)
        if person is None:
            message = "There is no account with this e-mail address."
            raise CommandFailedError(message)
        with unit_of_work(command_line_scope(scope.authority_id)):
            act(person.id)
    return {"person": person.id, "done": done}
