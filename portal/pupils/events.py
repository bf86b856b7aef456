"""What pupils records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

LIST_TAKEN = event(
    "pupils.list_taken",
    "A school's pupil list was imported",
    *("academic_year", "upload", "added", "changed", "unchanged", "questions", "left_out"),
)
DECIDED = event(
    "pupil_match.decided",
    "Someone decided whether two records are the same child",
    *("school", "decision", "compared_with", "became"),
)
DISCLOSURE_CHANGED = event("parent.disclosure_changed", "A parent's address was hidden or shown", "pupil", "do_not_disclose")
YEAR_OPENED = event("roll.year_opened", "A school's roll was opened for another academic year", "academic_year", "lines", "like")
READ = event("pupil.read", "A part of a pupil's record was read", "part")
COMPARED = event("pupil_match.compared", "Two records that may be duplicates were compared", "question")
CHILDREN_LINKED = event(
    "pupils.children_linked",
    "Records of a school were compared with other schools' records",
    *("new", "linked", "asked"),
)
SAME_CHILD_DECIDED = event(
    "child.decided",
    "Someone decided whether two schools' records are one child",
    *("decision", "pupil", "other_pupil", "child"),
)
UNLINKED = event("child.unlinked", "A school's record was taken back from a child", "child", "became")
SIDE_BY_SIDE = event("child.compared", "Two schools' records were compared", "pupil", "other_pupil")
