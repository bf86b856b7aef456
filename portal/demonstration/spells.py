"""Absence laid out in spells: reasons and lengths as published, starts by weekday and season, never two at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.sources import AUTHORISED, REASONS, STRETCHED, calibrations, spell_lengths

if TYPE_CHECKING:
    from portal.demonstration.plans import Levels
    from portal.demonstration.sessions import Sessions
    from portal.demonstration.streams import Floats, Truths, Whole

PERSISTENT = 0.1
#: The most spells drawn for a pupil in a year; what is left of the quota makes the last one longer.
MOST = 56
MEAN_STRETCH = 6.0
#: Pupils who are ever suspended, of a mobile family, or have a part-time timetable, by table: those reasons fall on few.
SUSPENDED = (0.015, 0.08, 0.05)
MOBILE = 0.007
#: Some pupils' absence gathers late or early in the year, and some pupils' on Mondays and Fridays.
DRIFTS, DRIFT_LATE, DRIFT_EARLY = 0.12, 0.45, 1.8
PATTERNED = 0.04
MORNING, AFTERNOON = 0.97, 1.03
#: Which season each reason follows, and so which kind of start.
KINDS = {"I": 0, "G": 1, "O": 2, "N": 2, "U": 4, "M": 3, "C": 3, "C1": 3, "J1": 3, "E": 3, "T": 3}
SEASON_OF_KIND = ("illness", "holiday", "other_unauthorised", "other_authorised", "other_unauthorised", "illness")
LATE_KIND, EDGE_KIND = 4, 5
HOLIDAY_STARTS = (1.30, 0.90, 0.85, 0.85, 1.10)
EDGE_STARTS = (3.0, 0.25, 0.25, 0.25, 3.0)
ODD, EVEN = 0, 1
#: Sessions beyond which a spell of a reason that is short by nature is given another.
BRIEF = 8
_KIND_OF = np.array([KINDS[reason] for reason in REASONS])
_SHORT_BY_NATURE = np.array([reason in {"U", "N", "M", "C", "C1", "J1"} for reason in REASONS])
_STRETCHED = np.array([reason in STRETCHED for reason in REASONS])


@dataclass(frozen=True, slots=True)
class Laid:
    """Absent sessions, flat: the line, the place among the school's sessions, and the reason's number in `REASONS`."""

    line: Whole
    place: Whole
    reason: Whole


def lay_out(draw: np.random.Generator, sessions: Sessions, levels: Levels, window: tuple[Whole, Whole], quota: Whole) -> Laid:
    """Lay out `quota` absent sessions for each line inside its window (first place, place after the last).

    Lengths add up to the quota exactly. A spell that would begin inside another carries on after it: spells are served
    in order of start, like a queue, so every spell is found with one running maximum and none overlaps another.
    """
    lines = quota.size
    chances = draw.random((lines, MOST, 4))
    habits = draw.random((lines, 3))
    reason = _reasons(chances[:, :, 0], _weights(levels, habits[:, 2]))
    length = _lengths(chances[:, :, 1], chances[:, :, 3], reason, levels.rate)
    length = _within(length, quota)
    reason = _long_ones_explained(reason, length)
    drift = np.where(habits[:, 0] < DRIFTS / 2, DRIFT_LATE, np.where(habits[:, 0] < DRIFTS, DRIFT_EARLY, 1.0))
    chance, patterned = chances[:, :, 2] ** drift[:, None], habits[:, 1] < PATTERNED
    start = _starts(sessions, levels, window, reason=reason, length=length, chance=chance, patterned=patterned)
    order = np.argsort(np.where(length > 0, start, np.iinfo(np.int64).max), axis=1, kind="stable")
    reason, length, start = (np.take_along_axis(one, order, axis=1) for one in (reason, length, start))
    before = np.cumsum(length, axis=1) - length
    begin = np.maximum.accumulate(start - before, axis=1) + before
    after = quota[:, None] - before
    begin = np.minimum(begin, window[1][:, None] - after)
    return _flat(begin, length, reason)


def _long_ones_explained(reason: Whole, length: Whole) -> Whole:
    """No one is late, at an appointment or unexplained for weeks on end: a long spell of those is other absence or illness."""
    brief = _SHORT_BY_NATURE[reason] & (length > BRIEF)
    unauthorised = np.array([one in {"U", "N"} for one in REASONS])[reason]
    instead = np.where(unauthorised, REASONS.index("O"), REASONS.index("I"))
    return np.where(brief, instead, reason)


def _flat(begin: Whole, length: Whole, reason: Whole) -> Laid:
    used = length > 0
    lengths = length[used]
    line = np.repeat(np.nonzero(used)[0], lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Laid(line, np.repeat(begin[used], lengths) + within, np.repeat(reason[used], lengths))


def _weights(levels: Levels, habit: Floats) -> Floats:
    """Each line's chance of each reason for a spell, added up along the reasons.

    The shares are of sessions, so each is divided by the length its spells will have.
    """
    share = np.zeros((levels.rate.size, len(REASONS)))
    count = len(AUTHORISED)
    for number, calibration in enumerate(calibrations()):
        here = levels.table == number
        often = np.array([calibration.often(one) for one in REASONS])
        unauthorised = np.where(levels.rate[here] >= PERSISTENT, *calibration.unauthorised_share)[:, None]
        authorised = (1 - unauthorised) * often[None, :count] / often[:count].sum()
        share[here] = np.concatenate([authorised, unauthorised * often[None, count:] / often[count:].sum()], axis=1)
    suspended = np.array(SUSPENDED)[levels.table] * np.where(levels.male, 1.3, 0.7)
    share[:, REASONS.index("E")] *= np.where(habit < suspended, 1 / suspended, 0)
    share[:, REASONS.index("T")] *= np.where(levels.mobile, 1 / MOBILE, 0)
    share[:, REASONS.index("U")] *= np.minimum(levels.lateness, 6)
    mean = spell_lengths().mean(axis=1)
    stretch = np.where(_STRETCHED & (levels.rate[:, None] >= PERSISTENT), 1 + MEAN_STRETCH * levels.rate[:, None], 1)
    return np.cumsum(share / (mean * stretch), axis=1)


def _reasons(chance: Floats, weights: Floats) -> Whole:
    level = chance * weights[:, -1:]
    numbers: Whole = (level[:, :, None] >= weights[:, None, :-1]).sum(axis=2)
    return numbers


def _lengths(chance: Floats, stretch: Floats, reason: Whole, rate: Floats) -> Whole:
    """Lengths in sessions. Long spells are longer still for those who miss a tenth of the year, and then whole days."""
    length = spell_lengths()[reason, (chance * 1000).astype(np.int64)]
    longer = _STRETCHED[reason] & (rate[:, None] >= PERSISTENT)
    stretched = length * (0.5 + stretch) * (1 + MEAN_STRETCH * rate[:, None])
    length = np.where(longer, stretched, length)
    whole_days = 2 * np.rint(length / 2)
    return np.maximum(np.where(longer & (length >= 3), whole_days, np.rint(length)), 1).astype(np.int64)  # noqa: PLR2004  shorter ones may be half days


def _within(length: Whole, quota: Whole) -> Whole:
    """Cut the lengths so that they add up to the quota; the last spell takes what is left over."""
    total = np.minimum(np.cumsum(length, axis=1), quota[:, None])
    total[:, -1] = quota
    return np.diff(total, axis=1, prepend=0)


def _starts(
    sessions: Sessions,
    levels: Levels,
    window: tuple[Whole, Whole],
    *,
    reason: Whole,
    length: Whole,
    chance: Floats,
    patterned: Truths,
) -> Whole:
    """Where each spell would like to begin: a place in the line's window, by the weights of its kind."""
    tables = np.unique(levels.table)
    curves = np.concatenate([_curves(sessions, int(table)) for table in tables])
    kinds = len(SEASON_OF_KIND) * 2
    kind = _KIND_OF[reason]
    kind = np.where(patterned[:, None] & ((kind == 0) | (kind == KINDS["O"])), EDGE_KIND, kind)
    curve = np.searchsorted(tables, levels.table)[:, None] * kinds + kind * 2 + np.where(length % 2 == 0, EVEN, ODD)
    low, high = curves[curve, window[0][:, None]], curves[curve, window[1][:, None]]
    # Every curve climbs from 0 to 1: set end to end they are one climbing line, and one search finds every start.
    climbing = (curves[:, 1:] + np.arange(len(curves))[:, None]).ravel()
    found = np.searchsorted(climbing, curve + low + chance * (high - low), side="right") - curve * sessions.day.size
    inside: Whole = np.clip(found, window[0][:, None], np.maximum(window[1] - 1, window[0])[:, None])
    return inside


def _curves(sessions: Sessions, table: int) -> Floats:
    """For each kind of start, odd and even lengths, the weights of the sessions added up from 0 to 1.

    An even spell begins in the morning; an odd one in either half; a late arrival mostly in the morning.
    """
    season = sessions.season(table)
    curves = np.zeros((len(SEASON_OF_KIND) * 2, sessions.day.size + 1))
    for kind, name in enumerate(SEASON_OF_KIND):
        by_day = np.array(HOLIDAY_STARTS if name == "holiday" else calibrations()[table].starts_by_weekday)
        by_day = np.array(EDGE_STARTS) if kind == EDGE_KIND else by_day
        weight = season[name] * by_day[sessions.weekday]
        halves = (0.85, 0.15) if kind == LATE_KIND else (MORNING, AFTERNOON)
        either = weight * np.where(sessions.afternoon, halves[1], halves[0])
        curves[kind * 2 + ODD, 1:] = np.cumsum(either) / either.sum()
        morning = np.where(sessions.afternoon, 0, weight)
        curves[kind * 2 + EVEN, 1:] = np.cumsum(morning) / morning.sum()
    return curves
