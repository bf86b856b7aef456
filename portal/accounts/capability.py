"""Accounts declare themselves: authorities, people, roles and signing in."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from portal.platform.capability import Capability, CommandGroup, Job, MainTask, NavigationItem
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
    jobs=(
        Job("accounts.deliver_mail", "portal.accounts.actions.mail.deliver_mail", {"mail_id": UUID}),
        Job(
            "accounts.record_elsewhere",
            "portal.accounts.actions.whole_people.record_elsewhere",
            {"person_id": UUID, "event_name": str},
        ),
        Job("accounts.suspend_unused", "portal.accounts.actions.people.suspend_unused", daily=time(2, 0)),
        Job("accounts.forget_tries", "portal.accounts.actions.throttling.delete_old_attempts", daily=time(2, 0)),
    ),
    commands=(
        CommandGroup("authority", "local authorities", "portal.accounts.commands.authorities.authority"),
        CommandGroup("people", "first administrators, and people of several authorities", "portal.accounts.commands.people.people"),
        CommandGroup("keys", "the key of the second factors", "portal.accounts.commands.keys.keys"),
    ),
)
