"""Registers declare themselves: the marks, their summaries and the attendance record."""

from __future__ import annotations

from datetime import time
from uuid import UUID

from portal.platform.capability import (
    Capability,
    CommandGroup,
    Extract,
    Holding,
    Job,
    KeptFor,
    KeptWith,
    MainTask,
    Path,
    Retention,
    Subject,
    Tab,
)
from portal.rules.retention import REGISTER_ENTRY_SOURCE, REGISTER_ENTRY_YEARS
from portal.security.permissions import LA_STAFF, SCHOOL_STAFF, Permission, Role

REGISTERS = Capability(
    name="registers",
    summary="Registers kept in pages that are never overwritten, their summaries, and the attendance record.",
    models="portal.registers.models",
    blueprint="portal.registers.routes.bp",
    events="portal.registers.events",
    permissions=(Permission("registers.view", "See a pupil's attendance record", LA_STAFF | SCHOOL_STAFF),),
    main_tasks={Role.LA_LEGAL: MainTask("Find a pupil’s attendance record", "pupils.index")},
    tabs=(Tab("Attendance record", "registers.show", "registers.view", order=10),),
    jobs=(
        Job("registers.recount", "portal.registers.actions.recount", {"school_id": UUID, "academic_year": int}),
        # Daily, because a setting of the authority may take effect on any day.
        Job("registers.recount_out_of_date", "portal.registers.actions.recount_out_of_date", daily=time(2, 30)),
    ),
    commands=(CommandGroup("measures", "counts and rates from the registers", "portal.registers.commands.measures"),),
    holdings=(
        Holding(
            "register_page",
            "Marks in the attendance register, corrected ones too",
            (Extract(Subject.PUPIL, "portal.registers.queries.marks_ever_recorded"),),
        ),
        Holding("mark_note", "Minutes late and comments", (Path(Subject.PUPIL, "pupil_id"),), also_about="Those a comment names."),
        Holding("pupil_year_summary", "Counts of the year", (Path(Subject.PUPIL, "pupil_id"),)),
    ),
    retention=(
        Retention("register_page", KeptFor(REGISTER_ENTRY_YEARS, since="recorded_at"), str(REGISTER_ENTRY_SOURCE)),
        Retention("mark_note", KeptWith("register_page"), "It is part of the entry."),
        Retention("pupil_year_summary", KeptWith("roll_line"), "It is counted from the pages, and is counted again from them."),
    ),
)
