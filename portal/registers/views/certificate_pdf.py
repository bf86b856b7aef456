"""The certificate of attendance as a PDF: its contents as plain values for the typesetter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from portal.platform import clock
from portal.platform.typeset import pdf
from portal.rules.date_words import date_in_words, short_date_without_year
from portal.rules.session_counts import rounded

if TYPE_CHECKING:
    from datetime import date

    from portal.pupils.models import Pupil, RollLine
    from portal.registers.views.certificates import Certificate
    from portal.schools.models import School

TEMPLATE = Path(__file__).parents[1] / "templates" / "registers" / "certificate.typ"


def certificate_pdf(*, pupil: Pupil, line: RollLine, school: School, certificate: Certificate, as_at: date | None) -> bytes:
    """One landscape sheet: the year's grid, then number, length and frequency of absence."""
    attendance = certificate.counts.attendance
    return pdf(
        TEMPLATE,
        {
            "name": f"{pupil.forename} {pupil.surname}",
            "born": date_in_words(pupil.date_of_birth),
            "school": school.name,
            "year": certificate.year_name,
            "group": line.registration_group or "",
            "as_at": date_in_words(as_at) if as_at else None,
            "printed": date_in_words(clock.today()),
            "weeks": [short_date_without_year(week) for week in certificate.weeks],
            "lines": [
                {
                    "day": row.day,
                    "half": row.half,
                    "cells": [_cell(cell.code.letters if cell.code else "", cell.why) for cell in row.cells],
                }
                for row in certificate.lines
            ],
            "attendance": str(rounded(attendance, 1)) if attendance is not None else None,
            "sentences": [certificate.counts.sentence, certificate.absence_periods.sentence, certificate.lateness.sentence],
        },
    )


def _cell(letters: str, why: str | None) -> dict[str, str]:
    return {"letters": letters or {"closed": "–", "no mark yet": "·"}.get(why or "", ""), "why": why or ""}
