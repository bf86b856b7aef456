"""What is shipped with the demonstration: calibration made from published figures, and word lists of our own."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.demonstration.streams import Floats

SHIPPED = Path(__file__).parent / "shipped"
TABLES = ("primary", "secondary", "special")
#: Reasons laid out in spells, in the order of every weight table here: authorised first, then unauthorised.
AUTHORISED = ("I", "M", "C", "C1", "J1", "E", "T")
UNAUTHORISED = ("G", "O", "N", "U")
REASONS = (*AUTHORISED, *UNAUTHORISED)
SEASONS = ("illness", "holiday", "other_unauthorised", "other_authorised", "activity", "late")
#: Spells with these reasons are longer for pupils who miss a tenth or more of the year.
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

    def often(self, letters: str) -> float:
        """The share of possible sessions to draw a code for, so that it comes out as often as published."""
        return self.per_thousand[letters] * self.multiplier.get(letters, 1.0) / 1000


@dataclass(frozen=True, slots=True)
class Heritage:
    """A family background: the name list it draws from, its census code and how often it is met."""

    names: str
    ethnicity: str
    share: float
    eal: float
    faith: bool
    mobile: bool


@dataclass(frozen=True, slots=True)
class NameList:
    """Forenames and surnames of one background; a surname is a pair (for boys, for girls), mostly the same twice."""

    girls: tuple[str, ...]
    boys: tuple[str, ...]
    surnames: tuple[tuple[str, str], ...]


def _read(name: str) -> Any:
    return json.loads((SHIPPED / name).read_text(encoding="utf-8"))


def _rows(name: str) -> list[dict[str, str]]:
    with (SHIPPED / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def calibrations() -> tuple[Calibration, ...]:
    """The three phases' figures, in the order of `TABLES`."""
    phases = _read("calibration.json")["phases"]
    return tuple(_calibration(phases[name]) for name in TABLES)


def _calibration(raw: Mapping[str, Any]) -> Calibration:
    often, seldom = raw["unauthorised_share"]
    fitted = raw["unauthorised_multiplier"]
    return Calibration(
        quantile=np.array(raw["quantile"], dtype=np.float64),
        rate=np.array(raw["rate"], dtype=np.float64),
        per_thousand=MappingProxyType(raw["per_thousand"]),
        starts_by_weekday=np.array(raw["starts_by_weekday"], dtype=np.float64),
        multiplier=MappingProxyType(raw["multiplier"]),
        unauthorised_share=(often * fitted, seldom * fitted),
        between_schools=raw["between_schools"],
        level=raw["level"],
    )


@cache
def spell_lengths() -> Floats:
    """Lengths of spells in sessions: for each reason, 1,000 equally likely lengths in order."""
    lengths = _read("calibration.json")["spell_lengths"]
    table = np.zeros((len(REASONS), 1000))
    for place, reason in enumerate(REASONS):
        sessions = np.array([one for one, _ in lengths[reason]], dtype=np.float64)
        weights = np.cumsum([weight for _, weight in lengths[reason]])
        table[place] = sessions[np.searchsorted(weights / weights[-1], (np.arange(1000) + 0.5) / 1000)]
    return table


@cache
def seasons() -> Mapping[str, tuple[tuple[int, float, tuple[float, ...]], ...]]:
    """For each phase: (half term 1 to 6, the fraction of it a row reaches to, an index for each of `SEASONS`)."""
    found: dict[str, list[tuple[int, float, tuple[float, ...]]]] = {name: [] for name in TABLES}
    for row in _rows("seasons.csv"):
        indexes = tuple(float(row[name]) for name in SEASONS)
        found[row["phase"]].append((int(row["half_term"]), float(row["fraction"]), indexes))
    return MappingProxyType({name: tuple(rows) for name, rows in found.items()})


@cache
def heritages() -> tuple[Heritage, ...]:
    """The family backgrounds met in the authority."""
    return tuple(
        Heritage(
            row["heritage"], row["ethnicity"], float(row["share"]), float(row["eal"]), row["faith"] == "1", row["mobile"] == "1"
        )
        for row in _rows("heritages.csv")
    )


@cache
def names() -> Mapping[str, NameList]:
    """The name list of each background."""
    found: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for row in _rows("names.csv"):
        kinds = found.setdefault(row["heritage"], {"girl": [], "boy": [], "surname": []})
        kinds[row["kind"]].append((row["name"], row["feminine"] or row["name"]))
    return MappingProxyType(
        {
            heritage: NameList(
                tuple(name for name, _ in kinds["girl"]), tuple(name for name, _ in kinds["boy"]), tuple(kinds["surname"])
            )
            for heritage, kinds in found.items()
        }
    )


@cache
def places() -> Mapping[str, tuple[str, ...]]:
    """Invented towns, streets, school names and trusts."""
    return MappingProxyType({name: tuple(words) for name, words in _read("places.json").items() if isinstance(words, list)})


@cache
def published() -> Mapping[str, Mapping[str, float]]:
    """The published rates, in per cent, that the demonstration is drawn to: by phase, for a whole year."""
    return MappingProxyType(_read("published.json")["phases"])
