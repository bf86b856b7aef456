"""Queries of an authority's settings: the policy of a day, and each setting's history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.db.work import tx
from portal.settings.domain.definitions import BY_NAME
from portal.settings.domain.policies import policy_of
from portal.settings.models import AuthoritySetting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.rules.policy import Policy
    from portal.settings.domain.kinds import Value

FEWEST_SCHOOLS = "fewest_schools"


def settings_on(day: date) -> Mapping[str, AuthoritySetting]:
    """The row of each setting that is in effect on a day. A setting nobody has set has none."""
    rows = tx().scalars(
        select(AuthoritySetting)
        .where(AuthoritySetting.first_day <= day)
        .order_by(AuthoritySetting.first_day, AuthoritySetting.set_at, AuthoritySetting.id)
    )
    # The last of a name stays: of two set for one day, the one set later.
    return {row.name: row for row in rows if row.name in BY_NAME}


def policy_on(day: date) -> Policy:
    """The authority's policy on a day, as the rules take it."""
    return policy_of({name: row.value for name, row in settings_on(day).items()})


def value_on(name: str, day: date) -> Value:
    """A setting's value on a day."""
    row = settings_on(day).get(name)
    value: Value = BY_NAME[name].default if row is None else row.value
    return value


def fewest_schools_on(day: date) -> int:
    """The fewest schools in an average that a school may see."""
    return int(str(value_on(FEWEST_SCHOOLS, day)))


def history_of(name: str) -> Sequence[AuthoritySetting]:
    """Every value a setting was given, the newest first."""
    query = select(AuthoritySetting).where(AuthoritySetting.name == name)
    return tx().scalars(query.order_by(AuthoritySetting.first_day.desc(), AuthoritySetting.set_at.desc())).all()
