"""The preview of a file: counts of what applying it would change."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from portal.registers.domain.pages import SESSIONS, Marks, extended
from portal.rules.codes import CODES_BY_BYTE
from portal.uploads.domain.previews import CodeChange, MarksPreview, WeekCounts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from portal.registers.domain.year_register import YearRegister
    from portal.uploads.domain.kinds import CheckedMarks


def marks_preview(checked: CheckedMarks, current: Mapping[date, Marks]) -> MarksPreview:
    """Marks added, changed, unchanged and rejected, in total and by week. `current` are the pages stored now."""
    changes: Counter[tuple[str, str]] = Counter()
    weeks: list[WeekCounts] = []
    for week, new in sorted(checked.pages.items()):
        # The file may have more or fewer lines of the roll than the stored page.
        before = extended(current.get(week, new[:0]), len(new))[: len(new)]
        has_mark = new != 0
        added, unchanged = has_mark & (before == 0), has_mark & (before == new)
        changed = has_mark & ~added & ~unchanged
        # Old and new code in one number, so that changes are counted in the array.
        pairs, counts = np.unique(before[changed].astype(np.int64) * 256 + new[changed], return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            changes[CODES_BY_BYTE[pair // 256].letters, CODES_BY_BYTE[pair % 256].letters] += count
        weeks.append(WeekCounts(week, int(added.sum()), int(changed.sum()), int(unchanged.sum())))
    return MarksPreview(
        added=sum(counts.added for counts in weeks),
        changed=sum(counts.changed for counts in weeks),
        unchanged=sum(counts.unchanged for counts in weeks),
        rejected=checked.rows_rejected,
        missing=checked.missing,
        changes=tuple(CodeChange(old, new, count) for (old, new), count in changes.most_common()),
        weeks=tuple(weeks),
    )


def completed_weeks(before: YearRegister, after: YearRegister) -> list[date]:
    """Weeks that had gaps before, and have every expected mark after."""

    def complete_weeks(sheet: YearRegister) -> set[date]:
        has_gap = (sheet.on_roll & sheet.met & (sheet.counted == 0)).any(axis=0).reshape(len(sheet.weeks), SESSIONS).any(axis=1)
        return {week for week, gap in zip(sheet.weeks, has_gap.tolist(), strict=True) if not gap}

    return sorted(complete_weeks(after) - complete_weeks(before))
