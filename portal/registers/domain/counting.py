"""Which way of counting the stored totals were made by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portal.rules.policy import Policy

#: Raised whenever the same pages would be counted into other totals than before. Each school's years are then recounted.
#: 2: half terms by the rule, # and Z are no marks, and marks count within the days on roll only.
COUNTING_VERSION = 2


def way_of_counting(policy: Policy) -> str:
    """The way of counting in a few words: the version, and each setting that totals depend on.

    Totals made in another way are out of date, whether a deploy changed the version or the authority a setting.
    """
    edge = "last Friday in June inside" if policy.last_friday_inside else "last Friday in June outside"
    return f"{COUNTING_VERSION}: {policy.window}, weeks start on day {policy.week_starts_on}, {edge}"
