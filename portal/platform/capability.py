"""What a capability declares of itself, in one value that `portal.capabilities` gathers.

The value stands in `portal/<capability>/capability.py`.

Code is named by dotted name (`"portal.uploads.actions.check"`) and loaded where it is needed, so that the worker, the
command line and the migrations never import Flask or Dash.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import time, timedelta
    from types import ModuleType

    from portal.security.permissions import Permission, Role


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A link of the main navigation, shown to people with one of its permissions.

    Without permissions it is shown to everyone signed in.

    `target` is an endpoint, or a path when it begins with "/". `summary` says on the home page what is there.
    Links stand in the order of `order`.
    """

    text: str
    target: str
    permissions: tuple[str, ...]
    summary: str
    order: int


@dataclass(frozen=True, slots=True)
class MainTask:
    """The one button of a role's start page."""

    text: str
    target: str


class PageWithPanels(StrEnum):
    """The pages that capabilities share."""

    START = "start"
    PUPIL = "pupil"
    SCHOOL = "school"


@dataclass(frozen=True, slots=True)
class Panel:
    """What a capability shows on a shared page, to people with the permission.

    `query` takes the subject's id (None on the start page) and returns what `template` needs, or None to show
    nothing. It costs at most one query of the database; a test counts.
    """

    page: PageWithPanels
    title: str
    permission: str
    query: str
    template: str
    order: int


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of a pupil's pages. Its endpoint takes `pupil_id`."""

    text: str
    endpoint: str
    permission: str
    order: int


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of background job, and the action it runs.

    `arguments` are the ids the action takes, and how each is read from the outbox's text.
    A job with `daily` runs for every authority once a day, from that time on in England; one with `every`, over and
    over at that interval.
    """

    kind: str
    run: str
    arguments: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    daily: time | None = None
    every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """A noun of the command line, and the click group or command that answers it."""

    name: str
    help: str
    command: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What a capability holds about one pupil, for a subject access request.

    `tables` are the tables it answers for; a test holds that every table about a pupil is answered for.
    """

    heading: str
    tables: tuple[str, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Retention:
    """How long rows of a table are kept, in words a data protection officer reads, and the reason."""

    table: str
    how_long: str
    reason: str


@dataclass(frozen=True, slots=True)
class Capability:
    """Everything the rest of the portal needs to know of a capability."""

    name: str
    summary: str
    models: str | None = None
    blueprint: str | None = None
    permissions: tuple[Permission, ...] = ()
    navigation: tuple[NavigationItem, ...] = ()
    main_tasks: Mapping[Role, MainTask] = field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    tabs: tuple[Tab, ...] = ()
    events: str | None = None
    jobs: tuple[Job, ...] = ()
    commands: tuple[CommandGroup, ...] = ()
    lifecycles: tuple[str, ...] = ()
    holdings: tuple[Holding, ...] = ()
    retention: tuple[Retention, ...] = ()


def load_module(dotted_name: str) -> ModuleType:
    """The module of a dotted name, imported now."""
    return importlib.import_module(dotted_name)


def load(dotted_name: str) -> Any:
    """The object of a dotted name, imported now.

    Raises:
        ImportError: when there is no such module, or it holds no such name.
    """
    module_name, _, name = dotted_name.rpartition(".")
    module = importlib.import_module(module_name)
    if not hasattr(module, name):
        raise ImportError(f"{module_name} has no {name}.")
    return getattr(module, name)
