"""The capabilities, in the one list that everything reads.

The gate, the navigation, the worker, the command line, the migrations and the architecture tests all read it. A
capability imports only what stands before it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.capability import DASHBOARDS
from portal.accounts.capability import ACCOUNTS
from portal.audit.capability import AUDIT
from portal.benchmarks.capability import BENCHMARKS
from portal.platform.capability import declare, load, load_module
from portal.pupils.capability import PUPILS
from portal.registers.capability import REGISTERS
from portal.schools.capability import SCHOOLS
from portal.security.permissions import register
from portal.settings.capability import SETTINGS
from portal.uploads.capability import UPLOADS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from portal.platform.capability import (
        Capability,
        CommandGroup,
        Job,
        MainTask,
        NavigationItem,
        PageWithPanels,
        Panel,
        Tab,
    )
    from portal.security.permissions import Role

CAPABILITIES: tuple[Capability, ...] = (
    AUDIT,
    ACCOUNTS,
    SETTINGS,
    SCHOOLS,
    PUPILS,
    REGISTERS,
    UPLOADS,
    BENCHMARKS,
    DASHBOARDS,
)

declare(CAPABILITIES)
for capability in CAPABILITIES:
    register(capability.permissions)


def models(capabilities: tuple[Capability, ...] = CAPABILITIES) -> list[ModuleType]:
    """The modules that hold the capabilities' tables, imported."""
    return [load_module(capability.models) for capability in capabilities if capability.models]


def blueprints(capabilities: tuple[Capability, ...] = CAPABILITIES) -> list[Any]:
    """The capabilities' routes, imported. Only the app asks: a worker must not import Flask."""
    return [load(capability.blueprint) for capability in capabilities if capability.blueprint]


def navigation(capabilities: tuple[Capability, ...] = CAPABILITIES) -> tuple[NavigationItem, ...]:
    """The links of the main navigation, in their order."""
    links = [item for capability in capabilities for item in capability.navigation]
    return tuple(sorted(links, key=lambda item: item.order))


def main_tasks(capabilities: tuple[Capability, ...] = CAPABILITIES) -> Mapping[Role, MainTask]:
    """The one button of each role's start page."""
    return {role: task for capability in capabilities for role, task in capability.main_tasks.items()}


def panels(page: PageWithPanels, capabilities: tuple[Capability, ...] = CAPABILITIES) -> tuple[Panel, ...]:
    """What the capabilities show on a shared page, in their order."""
    page_panels = [panel for capability in capabilities for panel in capability.panels if panel.page is page]
    return tuple(sorted(page_panels, key=lambda panel: panel.order))


def pupil_tabs(capabilities: tuple[Capability, ...] = CAPABILITIES) -> tuple[Tab, ...]:
    """The tabs of a pupil's pages, in their order."""
    return tuple(sorted((tab for capability in capabilities for tab in capability.tabs), key=lambda tab: tab.order))


def commands(capabilities: tuple[Capability, ...] = CAPABILITIES) -> tuple[CommandGroup, ...]:
    """The capabilities' nouns of the command line. Nothing is imported until one is typed."""
    return tuple(group for capability in capabilities for group in capability.commands)


def jobs(capabilities: tuple[Capability, ...] = CAPABILITIES) -> Mapping[str, Job]:
    """Every kind of job by name."""
    return {job.kind: job for capability in capabilities for job in capability.jobs}
