"""The page of permissions, for review. Write it with `python -m tests.architecture.permissions --write`."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING

from portal.capabilities import CAPABILITIES
from portal.security.permissions import ROLES, Permission, Role
from tests.architecture.sources import ROOT
from tests.architecture.written_pages import table, write_or_print

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.platform.capability import Capability
    from portal.security.permissions import Predicate

PAGE = ROOT / "docs" / "permissions.md"
INTRODUCTION = """\
# Permissions

Made from each `capability.py` by `python -m tests.architecture.permissions --write`; do not edit by hand. Review every change of
it: it says who may do what.

Gate, views and templates ask `can(actor, permission, record, field)` in `portal/security/permissions.py`: the role is listed; each
condition holds for the record; a guarded field is shown only to those whom its own permission admits. Which records a person
reaches at all is another matter: see the two walls in [architecture](architecture.md). Which page asks for which permission is in
[routes](routes.txt).

"""
NOTHING = "–"


def page(capabilities: Iterable[Capability] = CAPABILITIES) -> str:
    """The text of docs/permissions.md."""
    with_permissions = [capability for capability in capabilities if capability.permissions]
    sections = "\n".join(_section(capability) for capability in with_permissions)
    permissions = [permission for capability in with_permissions for permission in capability.permissions]
    return f"{INTRODUCTION}## Roles\n\n{_roles(permissions)}\n## By capability\n\n{sections}\n## By role\n\n{_matrix(permissions)}"


def _roles(permissions: list[Permission]) -> str:
    rows = [
        [name, f"`{role}`", purpose, str(sum(role in permission.roles for permission in permissions))]
        for role, (name, purpose) in ROLES.items()
    ]
    return table(["Role", "In the code", "What it is for", "Permissions"], rows)


def _section(capability: Capability) -> str:
    rows = [
        [
            f"`{permission.name}`",
            permission.words,
            ", ".join(ROLES[role][0] for role in Role if role in permission.roles),
            "; ".join(_condition(predicate) for predicate in permission.when) or NOTHING,
            ", ".join(f"`{field}`" for field in permission.fields) or NOTHING,
        ]
        for permission in capability.permissions
    ]
    headings = ["Permission", "What it allows", "Roles", "Conditions on the record", "Fields it alone opens"]
    return f"### {capability.name}\n\n{capability.summary}\n\n{table(headings, rows)}"


def _condition(predicate: Predicate) -> str:
    """A predicate in words: the first sentence of its docstring, and its name."""
    name = getattr(predicate, "__name__", type(predicate).__name__)
    sentence = (inspect.getdoc(predicate) or "").split("\n")[0].rstrip(".")
    return f"{sentence} (`{name}`)" if sentence else f"`{name}`"


def _matrix(permissions: list[Permission]) -> str:
    rows = [
        [f"`{permission.name}`", *("yes" if role in permission.roles else NOTHING for role in Role)] for permission in permissions
    ]
    return table(["Permission", *(ROLES[role][0] for role in Role)], rows)


if __name__ == "__main__":
    sys.exit(write_or_print(PAGE, page(), sys.argv[1:]))
