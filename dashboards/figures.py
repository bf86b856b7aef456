"""Makes every chart: its look, its settings and its labels. Functions that make figures are pure."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import dcc

if TYPE_CHECKING:
    import pandas as pd

#: No figure may leave the portal: no mode bar, no sharing and no server to share to. Tests hold every graph to it.
CONFIG: dcc.Graph.Config = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
}

#: Characters of a legend's line that fit a 320 pixel screen.
LEGEND_WIDTH = 28
#: Week labels that fit the same screen.
MOST_LABELS = 6
WEEK_IN_MILLISECONDS = 7 * 24 * 60 * 60 * 1000

TEXT_COLOUR, GRID_COLOUR = "#0b0c0c", "#d2d4d5"


@dataclass(frozen=True, slots=True)
class Series:
    """The look of one line. Dash and marker differ too, because not everyone can tell the colours apart."""

    column: str
    colour: str
    dash: str
    symbol: str


SCHOOL = Series("school", "#1d70b8", "solid", "circle")
AUTHORITY = Series("authority", "#54319f", "dash", "square")
NATION = Series("nation", "#0f7a52", "dot", "diamond")


def chart(figure: go.Figure) -> dcc.Graph:
    """The graph of a figure. No other function makes one, so all have the same settings."""
    return dcc.Graph(figure=figure, config=CONFIG, className="portal-chart__figure")


def weekly_lines(frame: pd.DataFrame, *, labels: dict[str, str], unit: str = "%") -> go.Figure:
    """A line chart of rates by week, with one line per series.

    `frame` has a column `week` of dates and a column of percentages for each key of `labels`. Gaps stay gaps.
    """
    figure = go.Figure()
    weeks = 1 + (max(frame["week"]) - min(frame["week"])).days // 7
    for series in (SCHOOL, AUTHORITY, NATION):
        if series.column not in frame or frame[series.column].isna().all():
            continue
        figure.add_trace(_line(series, frame, labels[series.column], unit))
    figure.update_layout(
        template="none",
        font={"family": "Arial, sans-serif", "size": 16, "color": TEXT_COLOUR},
        margin={"l": 56, "r": 16, "t": 8, "b": 48},
        height=380,
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "x": 0},
        xaxis={
            "gridcolor": GRID_COLOUR,
            "tickformat": "%-d %b",
            "tick0": min(frame["week"]),
            "dtick": WEEK_IN_MILLISECONDS * math.ceil(weeks / MOST_LABELS),
            "title": None,
        },
        yaxis={"gridcolor": GRID_COLOUR, "ticksuffix": unit, "zeroline": False, "rangemode": "normal", "title": None},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure


def _line(series: Series, frame: pd.DataFrame, label: str, unit: str) -> go.Scatter:
    return go.Scatter(
        x=list(frame["week"]),
        y=[None if math.isnan(rate) else rate for rate in frame[series.column]],  # JSON has no NaN
        name="<br>".join(textwrap.wrap(label, LEGEND_WIDTH)),
        mode="lines+markers",
        connectgaps=False,
        line={"color": series.colour, "dash": series.dash, "width": 3},
        marker={"symbol": series.symbol, "size": 8},
        hovertemplate="%{y:.1f}" + unit + "<extra>" + label + "</extra>",
    )
