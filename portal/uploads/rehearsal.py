"""The rehearsal: what applying a file would do, counted before anything changes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from portal.registers.pages import SESSIONS, Marks, extended
from portal.rules.codes import BY_BYTE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from portal.registers.sheets import Sheet
    from portal.uploads.checks import Checked


def rehearsed(checked: Checked, held: Mapping[date, Marks]) -> dict[str, object]:
    """Marks added, changed (from what to what), left as they are and refused, in all and for each week. Plain values, to keep."""
    totals: Counter[str] = Counter()
    changes: Counter[tuple[str, str]] = Counter()
    weeks = []
    for week, arriving in sorted(checked.pages.items()):
        before = extended(held.get(week, arriving[:0]), len(arriving))[: len(arriving)]
        new = arriving != 0
        added, same = new & (before == 0), new & (before == arriving)
        changed = new & ~added & ~same
        pairs, counts = np.unique(before[changed].astype(np.int64) * 256 + arriving[changed], return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            changes[BY_BYTE[pair // 256].letters, BY_BYTE[pair % 256].letters] += count
        week_counts = {"added": int(added.sum()), "changed": int(changed.sum()), "unchanged": int(same.sum())}
        totals.update(week_counts)
        weeks.append({"week": week.isoformat(), **week_counts})
    return {
        "added": totals["added"],
        "changed": totals["changed"],
        "unchanged": totals["unchanged"],
        "refused": checked.rows_refused,
        "missing": checked.missing,
        "changes": [{"from": old, "to": new, "count": count} for (old, new), count in changes.most_common()],
        "weeks": weeks,
    }


def completed_weeks(before: Sheet, after: Sheet) -> list[date]:
    """Weeks with every expected mark after, that lacked some before."""

    def complete(sheet: Sheet) -> set[date]:
        gaps = (sheet.on_roll & sheet.met & (sheet.marks == 0)).any(axis=0).reshape(len(sheet.weeks), SESSIONS).any(axis=1)
        return {week for week, gap in zip(sheet.weeks, gaps.tolist(), strict=True) if not gap}

    return sorted(complete(after) - complete(before))
