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
    from collections.abc import Callable, Iterable, Mapping
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


class Subject(StrEnum):
    """Whose data a request for access asks for. The value is the table with that person's own record."""

    CHILD = "child"
    PUPIL = "pupil"
    CONTACT = "contact"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a person's own record to rows of a table.

    Found are the rows whose `column` has a value of `source`.
    `source` is a "table.column" of rows that belong to the same person; left out, it is the id of their own record.
    Source rows in which the column `unless` has a value are left out, such as a link that has ended. A path of a pupil
    also serves their child: it then starts from each of the child's records.
    """

    subject: Subject
    column: str
    source: str = ""
    unless: str = ""


@dataclass(frozen=True, slots=True)
class Extract:
    """The way to a person's part of rows about many people, such as a page of a register.

    `query` takes the ids of the person's own records, and returns dictionaries with nothing in them about anybody else.
    """

    subject: Subject
    query: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What a table holds about people, and how a person's rows are found in it.

    `also_about` says who else the rows are about; a person reads them before they leave. `by_hand` says why no path finds
    the rows, and is given instead of paths. Columns `withheld` never leave: hashes and secrets.
    """

    table: str
    heading: str
    paths: tuple[Path | Extract, ...] = ()
    also_about: str = ""
    by_hand: str = ""
    withheld: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a holding that no path leads to and that does not say why.

        Raises:
            ValueError: naming the table.
        """
        is_own_record = self.table in set(Subject)
        if bool(self.paths) == bool(self.by_hand) and not (is_own_record and not self.by_hand):
            raise ValueError(f"{self.table}: say by which paths its rows are found, or why a person looks for them.")


@dataclass(frozen=True, slots=True)
class KeptFor:
    """Kept for the years a rule of law gives, counted from the day in the column `since`.

    A row whose `since` is empty is in use, and is kept.
    """

    years: int
    since: str


@dataclass(frozen=True, slots=True)
class KeptAsSet:
    """Kept for as long as the authority says, counted from the column `since`. Until it has said so, nothing is due.

    No rule gives a time, and the portal guesses none.
    """

    setting: str
    since: str


@dataclass(frozen=True, slots=True)
class KeptWith:
    """Kept for as long as the row of another table that it belongs to."""

    table: str


@dataclass(frozen=True, slots=True)
class KeptForGood:
    """Never deleted."""


#: What a retention says where neither law nor guidance gives a time.
NO_RULE = "No rule gives a time: the authority's own schedule does."


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the rows of a table are kept, and by which rule, in plain words."""

    table: str
    period: KeptFor | KeptAsSet | KeptWith | KeptForGood
    rule: str


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


_declared: list[Capability] = []


def declare(capabilities: Iterable[Capability]) -> None:
    """Note the capabilities, in their order. `portal.capabilities` does it; nothing else may."""
    _declared.extend(capabilities)


def declared() -> tuple[Capability, ...]:
    """Every capability, for code that stands below the list and cannot import it."""
    return tuple(_declared)


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
