"""The rules' policy from an authority's settings."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from portal.rules.policy import DEFAULT_POLICY, Policy
from portal.settings.domain.definitions import BY_NAME, YES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.settings.domain.kinds import Value


def policy_of(values: Mapping[str, Value]) -> Policy:
    """The policy with these settings. What is not among them has its default."""
    names = {field.name for field in fields(Policy)}
    changed = {name: _field(name, value) for name, value in values.items() if name in names & BY_NAME.keys()}
    return replace(DEFAULT_POLICY, **changed)


def _field(name: str, value: Value) -> Any:
    """A stored value as the policy's field takes it: the type of the field's default says how."""
    default = getattr(DEFAULT_POLICY, name)
    if isinstance(default, bool):
        return value == YES
    if isinstance(value, list):
        return replace(default, reduced=value[0], full=value[1])
    # An enumeration is found by its stored name, a number is a number.
    return int(value) if isinstance(default, int) else type(default)[str(value)]
