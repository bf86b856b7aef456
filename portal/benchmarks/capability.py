"""Benchmarks declare themselves: published figures and their releases."""

from __future__ import annotations

from portal.platform.capability import Capability, CommandGroup, NavigationItem
from portal.security.permissions import LA_STAFF, SCHOOL_STAFF, Permission, Role

_LOADERS = frozenset({Role.LA_ADMINISTRATOR, Role.LA_MANAGER, Role.PLATFORM_OPERATOR})

BENCHMARKS = Capability(
    name="benchmarks",
    summary="The figures the Department for Education publishes, by release.",
    models="portal.benchmarks.models",
    blueprint="portal.benchmarks.routes.bp",
    events="portal.benchmarks.events",
    permissions=(
        Permission(
            "benchmarks.view",
            "See published figures",
            LA_STAFF | SCHOOL_STAFF | frozenset({Role.TRUST_LEAD, Role.AUDITOR, Role.PLATFORM_OPERATOR}),
        ),
        Permission("benchmarks.load", "Load published figures", _LOADERS),
    ),
    navigation=(
        NavigationItem(
            "Published figures",
            "benchmarks.index",
            ("benchmarks.view",),
            "The Department for Education series that the comparisons use.",
            order=60,
        ),
    ),
    commands=(CommandGroup("benchmarks", "published figures", "portal.benchmarks.commands.benchmarks"),),
)
