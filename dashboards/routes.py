"""The dashboards' ordinary routes: a list of pupils, and the figures of each page as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from flask import Blueprint, render_template, request

from dashboards.comparison import MEASURES
from dashboards.pages import every_school, one_school
from portal.platform import clock
from portal.security.permissions import needs
from portal.web.downloads import download

if TYPE_CHECKING:
    from uuid import UUID

    from werkzeug.wrappers import Response

bp = Blueprint("dashboards", __name__, template_folder="templates")


@bp.get("/dashboards/schools/<uuid:school_id>/pupils")
@needs("pupils.view")
def school_pupils(school_id: UUID) -> str:
    """The pupils of a school or year group, with the sessions each has missed."""
    return render_template("dashboards/pupils.html", **one_school.pupils({"school": str(school_id)}, request.args))


@bp.get("/dashboards/schools/<uuid:school_id>/figures.csv")
@needs("measures.view")
def school_figures(school_id: UUID) -> Response:
    """A school's weeks with those of the authority and England, unrounded, and the schools in each average."""
    comparison = one_school.compared({"school": str(school_id)}, request.args)
    labels = comparison.labels
    columns = (
        "Week beginning",
        f"{labels['school']} (%)",
        "Possible sessions",
        f"{labels['authority']} (%)",
        "Schools in the average",
        f"{labels['nation']} (%)",
    )
    rows = [(row.week, row.school, row.possible, row.authority, row.schools or None, row.nation) for row in comparison.rows]
    return download(f"{MEASURES[comparison.measure]} by week", columns, rows, on=clock.today())


@bp.get("/dashboards/weeks.csv")
@needs("measures.view")
def every_school_weeks() -> Response:
    """The authority's weeks for a phase with England's: the figures of the chart of every school."""
    weeks, england = every_school.weeks_in(request.args)
    columns = ("Week beginning", "LA average (%)", "Schools in the average", "Schools in the phase", f"{england.label} (%)")
    rows = [
        (week, None if pd.isna(average) else average, schools, in_phase, None if pd.isna(nation) else nation)
        for week, average, nation, schools, in_phase in weeks.itertuples(index=False)
    ]
    return download("weeks", columns, rows, on=clock.today())


@bp.get("/dashboards/figures.csv")
@needs("measures.view")
def every_school_figures() -> Response:
    """Every school in scope: its newest register, year to date, recent weeks and gap."""
    columns = (
        "School",
        "Phase",
        "Registers up to",
        "Year to date (%)",
        "Possible sessions",
        "Last four weeks (%)",
        "Difference from LA average (percentage points)",
    )
    rows = [
        (
            row.summary.name,
            row.summary.phase,
            row.summary.last_day,
            row.figure,
            row.summary.year.possible if row.summary.year else None,
            row.recent,
            row.gap,
        )
        for row in every_school.sorted_rows(request.args)
    ]
    return download("schools", columns, rows, on=clock.today())
