"""Accounts declare themselves: authorities, people, roles and signing in."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from portal.platform.capability import (
    NO_RULE,
    Capability,
    CommandGroup,
    Holding,
    Job,
    KeptAsSet,
    KeptWith,
    MainTask,
    NavigationItem,
    Path,
    Retention,
    Subject,
)
from portal.security.permissions import Permission, Role

ACCOUNTS = Capability(
    name="accounts",
    summary="Authorities, people, their roles, invitations and signing in.",
    models="portal.accounts.models",
    blueprint="portal.accounts.routes.bp",
    events="portal.accounts.events",
    permissions=(
        Permission("people.manage", "Invite people to any role, and end a role", frozenset({Role.LA_ADMINISTRATOR})),
        Permission(
            "people.manage_school",
            "Invite people to a role in one's own schools, and end a role",
            frozenset({Role.LA_ADMINISTRATOR, Role.SCHOOL_ADMINISTRATOR}),
        ),
        Permission("authorities.manage", "Add authorities and their first administrators", frozenset({Role.PLATFORM_OPERATOR})),
    ),
    navigation=(
        NavigationItem(
            "People",
            "accounts.people",
            ("people.manage", "people.manage_school"),
            "Who can sign in, in which role, and for which schools.",
            order=70,
        ),
        NavigationItem(
            "Authorities", "accounts.authorities", ("authorities.manage",), "Authorities and their first people.", order=80
        ),
    ),
    main_tasks={Role.PLATFORM_OPERATOR: MainTask("Add an authority", "accounts.new_authority")},
    lifecycles=("portal.accounts.domain.lifecycle.INVITATION",),
    jobs=(
        Job("accounts.deliver_mail", "portal.accounts.actions.mail.deliver_mail", {"mail_id": UUID}),
        Job(
            "accounts.record_elsewhere",
            "portal.accounts.actions.whole_people.record_elsewhere",
            {"person_id": UUID, "event_name": str},
        ),
        Job("accounts.suspend_unused", "portal.accounts.actions.people.suspend_unused", daily=time(2, 0)),
        Job(
            "accounts.expire_invitations",
            "portal.accounts.actions.invitations.expire_invitations",
            daily=time(2, 0),
        ),
        Job("accounts.forget_tries", "portal.accounts.actions.throttling.delete_old_attempts", daily=time(2, 0)),
    ),
    commands=(
        CommandGroup("authority", "local authorities", "portal.accounts.commands.authorities.authority"),
        CommandGroup("people", "first administrators, and people of several authorities", "portal.accounts.commands.people.people"),
        CommandGroup("keys", "the key of the second factors", "portal.accounts.commands.keys.keys"),
    ),
    holdings=(
        Holding("person", "Name and e-mail address"),
        Holding("membership", "Roles", (Path(Subject.PERSON, "person_id"),)),
        Holding("invitation", "Invitations", (Path(Subject.PERSON, "email", "person.email"),), withheld=("token_hash",)),
        Holding("sign_in", "Where the person signed in", (Path(Subject.PERSON, "person_id"),), withheld=("token_hash",)),
        Holding("mail", "E-mails sent by the portal", (Path(Subject.PERSON, "to", "person.email"),)),
        Holding(
            "credential",
            "Password and second factor",
            (Path(Subject.PERSON, "person_id"),),
            withheld=("password_hash", "totp_secret", "totp_last_step"),
        ),
        Holding("recovery_code", "Recovery codes", (Path(Subject.PERSON, "person_id"),), withheld=("code_hash",)),
        Holding("password_reset", "Links for a new password", (Path(Subject.PERSON, "person_id"),), withheld=("token_hash",)),
        Holding("outbox_job", "Work the portal did for the person", (Path(Subject.PERSON, "person_id"),)),
    ),
    retention=(
        Retention("person", KeptWith("membership"), "An account is of use only to someone who has a role, or had one."),
        Retention("membership", KeptAsSet("accounts.roles", since="ended_at"), NO_RULE),
        Retention("invitation", KeptAsSet("accounts.invitations", since="created_at"), NO_RULE),
        Retention("sign_in", KeptAsSet("accounts.sign_ins", since="created_at"), NO_RULE),
        Retention("mail", KeptAsSet("accounts.mail", since="created_at"), NO_RULE),
        Retention("credential", KeptWith("person"), "It is the account's own."),
        Retention("recovery_code", KeptWith("person"), "It is the account's own."),
        Retention("password_reset", KeptAsSet("accounts.sign_ins", since="created_at"), NO_RULE),
        Retention("outbox_job", KeptAsSet("accounts.jobs", since="done_at"), NO_RULE),
    ),
)
