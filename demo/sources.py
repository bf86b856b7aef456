"""The data files of the demonstration: calibration made from published figures, and our own word lists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.tabular.csv_rows import records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.seeded_random import Floats

BUNDLED = Path(__file__).parent / "bundled"
TABLES = ("primary", "secondary", "special")
#: Reasons of periods of absence, in the order of every table of weights: authorised first, then unauthorised.
AUTHORISED = ("I", "M", "C", "C1", "J1", "E", "T")
UNAUTHORISED = ("G", "O", "N", "U")
REASONS = (*AUTHORISED, *UNAUTHORISED)
SEASONS = ("illness", "holiday", "other_unauthorised", "other_authorised", "activity", "late")
#: Periods with these reasons are longer for pupils who miss a tenth or more of the year.
STRETCHED = frozenset("IOGE")


@dataclass(frozen=True, slots=True)
class Calibration:
    """One phase's figures: yearly absence by quantile, sessions per thousand by code, and weights fitted to them."""

    quantile: Floats
    rate: Floats
    per_thousand: Mapping[str, float]
    starts_by_weekday: Floats
    multiplier: Mapping[str, float]
    unauthorised_share: tuple[float, float]
    between_schools: float
    level: float

    def session_share(self, code: str) -> float:
        """The share of possible sessions to draw a code for.

        Later layers overwrite some marks, so the share is fitted to end up at the published one.
        """
        return self.per_thousand[code] * self.multiplier.get(code, 1.0) / 1000


@dataclass(frozen=True, slots=True)
class Heritage:
    """A family background: its name list, its census code and its share of families."""

    names: str
    ethnicity: str
    share: float
    eal: float
    faith: bool
    mobile: bool


@dataclass(frozen=True, slots=True)
class NameList:
    """Forenames and surnames of one background.

    A surname is a pair, for boys and for girls; in most backgrounds the two are the same.
    """

    girls: tuple[str, ...]
    boys: tuple[str, ...]
    surnames: tuple[tuple[str, str], ...]


def _read_json(name: str) -> Any:
    return json.loads((BUNDLED / name).read_text(encoding="utf-8"))


def _read_csv(name: str) -> list[dict[str, str]]:
    return records((BUNDLED / name).read_bytes())


@cache
def calibrations() -> tuple[Calibration, ...]:
    """The three phases' figures, in the order of `TABLES`."""
    phases = _read_json("calibration.json")["phases"]
    return tuple(_calibration(phases[name]) for name in TABLES)


def _calibration(phase: Mapping[str, Any]) -> Calibration:
    persistent_share, other_share = phase["unauthorised_share"]
    multiplier = phase["unauthorised_multiplier"]
    return Calibration(
        quantile=np.array(phase["quantile"], dtype=np.float64),
        rate=np.array(phase["rate"], dtype=np.float64),
        per_thousand=MappingProxyType(phase["per_thousand"]),
        starts_by_weekday=np.array(phase["starts_by_weekday"], dtype=np.float64),
        multiplier=MappingProxyType(phase["multiplier"]),
        unauthorised_share=(persistent_share * multiplier, other_share * multiplier),
        between_schools=phase["between_schools"],
        level=phase["level"],
    )


@cache
def period_lengths() -> Floats:
    """Lengths of periods of absence in sessions: for each reason, 1,000 equally likely lengths in order."""
    lengths = _read_json("calibration.json")["spell_lengths"]
    table = np.zeros((len(REASONS), 1000))
    for index, reason in enumerate(REASONS):
        values = np.array([length for length, _ in lengths[reason]], dtype=np.float64)
        weights = np.cumsum([weight for _, weight in lengths[reason]])
        table[index] = values[np.searchsorted(weights / weights[-1], (np.arange(1000) + 0.5) / 1000)]
    return table


@cache
def seasons() -> Mapping[str, tuple[tuple[int, float, tuple[float, ...]], ...]]:
    """The seasonal indexes of each phase.

    A row holds the half term (1 to 6), the fraction of it that the row reaches to, and an index for each of `SEASONS`.
    """
    rows_by_phase: dict[str, list[tuple[int, float, tuple[float, ...]]]] = {name: [] for name in TABLES}
    for row in _read_csv("seasons.csv"):
        indexes = tuple(float(row[name]) for name in SEASONS)
        rows_by_phase[row["phase"]].append((int(row["half_term"]), float(row["fraction"]), indexes))
    return MappingProxyType({name: tuple(rows) for name, rows in rows_by_phase.items()})


@cache
def heritages() -> tuple[Heritage, ...]:
    """The family backgrounds in the authority."""
    return tuple(
        Heritage(
            row["heritage"], row["ethnicity"], float(row["share"]), float(row["eal"]), row["faith"] == "1", row["mobile"] == "1"
        )
        for row in _read_csv("heritages.csv")
    )


@cache
def names() -> Mapping[str, NameList]:
    """The name list of each background."""
    by_heritage: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for row in _read_csv("names.csv"):
        by_kind = by_heritage.setdefault(row["heritage"], {"girl": [], "boy": [], "surname": []})
        by_kind[row["kind"]].append((row["name"], row["feminine"] or row["name"]))
    return MappingProxyType(
        {
            heritage: NameList(
                tuple(name for name, _ in by_kind["girl"]), tuple(name for name, _ in by_kind["boy"]), tuple(by_kind["surname"])
            )
            for heritage, by_kind in by_heritage.items()
        }
    )


@cache
def word_lists() -> Mapping[str, tuple[str, ...]]:
    """Invented towns, streets, school names and trusts."""
    return MappingProxyType({name: tuple(words) for name, words in _read_json("places.json").items() if isinstance(words, list)})


@cache
def published() -> Mapping[str, Mapping[str, float]]:
    """The published rates, in per cent, that the demonstration aims at: by phase, for a whole year."""
    return MappingProxyType(_read_json("published.json")["phases"])
