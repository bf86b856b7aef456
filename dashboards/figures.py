"""The one way a chart is made: its look, its safety and its plain words. `figure(frame)` functions are pure."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go
from dash import dcc

if TYPE_CHECKING:
    import pandas as pd

#: Nothing leaves: no mode bar, no sharing, no address to share to. `tests` hold every graph to it.
CONFIG: dcc.Graph.Config = {
    "displayModeBar": False,
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
}

#: Characters of a legend's line that fit a screen of 320 pixels.
LEGEND_WIDTH = 28
#: Labels along the weeks that fit the same screen.
MOST_LABELS = 6
A_WEEK = 7 * 24 * 60 * 60 * 1000

INK, QUIET, GRID = "#0b0c0c", "#484949", "#d2d4d5"


@dataclass(frozen=True, slots=True)
class Series:
    """How one line looks: told apart by dash and marker as well as by colour."""

    column: str
    colour: str
    dash: str
    symbol: str


SCHOOL = Series("school", "#1d70b8", "solid", "circle")
AUTHORITY = Series("authority", "#54319f", "dash", "square")
NATION = Series("nation", "#0f7a52", "dot", "diamond")


def chart(figure: go.Figure) -> dcc.Graph:
    """A figure as the page shows it. The only place a Graph is made."""
    return dcc.Graph(figure=figure, config=CONFIG, className="portal-chart__figure")


def weekly_lines(frame: pd.DataFrame, *, labels: dict[str, str], unit: str = "%") -> go.Figure:
    """A rate by week as one line a series. `frame`: `week` (dates) and a column of percentages for each label; gaps stay gaps."""
    figure = go.Figure()
    weeks = 1 + (max(frame["week"]) - min(frame["week"])).days // 7
    for series in (SCHOOL, AUTHORITY, NATION):
        if series.column not in frame or frame[series.column].isna().all():
            continue
        figure.add_trace(
            go.Scatter(
                x=list(frame["week"]),
                y=[None if value != value else value for value in frame[series.column]],  # noqa: PLR0124  NaN is not itself
                name="<br>".join(textwrap.wrap(labels[series.column], LEGEND_WIDTH)),
                mode="lines+markers",
                connectgaps=False,
                line={"color": series.colour, "dash": series.dash, "width": 3},
                marker={"symbol": series.symbol, "size": 8},
                hovertemplate="%{y:.1f}" + unit + "<extra>" + labels[series.column] + "</extra>",
            )
        )
    figure.update_layout(
        template="none",
        font={"family": "Arial, sans-serif", "size": 16, "color": INK},
        margin={"l": 56, "r": 16, "t": 8, "b": 48},
        height=380,
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "y": -0.2, "x": 0},
        xaxis={
            "gridcolor": GRID,
            "tickformat": "%-d %b",
            "tick0": min(frame["week"]),
            "dtick": A_WEEK * math.ceil(weeks / MOST_LABELS),
            "title": None,
        },
        yaxis={"gridcolor": GRID, "ticksuffix": unit, "zeroline": False, "rangemode": "normal", "title": None},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
