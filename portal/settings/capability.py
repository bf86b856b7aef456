"""Settings declare themselves: what the law leaves to the authority."""

from __future__ import annotations

from portal.platform.capability import Capability, KeptForGood, NavigationItem, Retention
from portal.security.permissions import LA_ROLES, Permission, Role

SETTINGS = Capability(
    name="settings",
    summary="What the law leaves to the authority: each choice with its day, its reason and its history.",
    models="portal.settings.models",
    blueprint="portal.settings.routes.bp",
    events="portal.settings.events",
    permissions=(
        Permission("settings.view", "See the authority's settings and their history", LA_ROLES),
        Permission("settings.manage", "Change the authority's settings", frozenset({Role.LA_ADMINISTRATOR})),
    ),
    navigation=(
        NavigationItem(
            "Settings",
            "settings.index",
            ("settings.view",),
            "What the law leaves to the authority, such as how ten school weeks are measured.",
            order=75,
        ),
    ),
    retention=(Retention("authority_setting", KeptForGood(), "Past decisions are explained by the settings of their day."),),
)
