"""Periods of absence: reasons and lengths as published, starts by weekday and season, never two at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo.sources import AUTHORISED, REASONS, STRETCHED, calibrations, period_lengths

if TYPE_CHECKING:
    from demo.plans import Levels
    from demo.seeded_random import Bools, Floats, Ints
    from demo.sessions import Sessions

PERSISTENT = 0.1
#: The most periods drawn for a pupil in a year; what is left of the quota makes the last one longer.
MOST_PERIODS = 56
MEAN_STRETCH = 6.0
#: Shares of pupils who are ever suspended (by table), and of a mobile family: these reasons fall on few pupils.
SUSPENDED_SHARES = (0.015, 0.08, 0.05)
MOBILE_SHARE = 0.007
#: Shares of pupils whose absence concentrates late or early in the year, or on Mondays and Fridays.
DRIFTS, DRIFT_LATE, DRIFT_EARLY = 0.12, 0.45, 1.8
PATTERNED = 0.04
MORNING, AFTERNOON = 0.97, 1.03
#: The kind of start of each reason, which decides the season it follows.
KINDS = {"I": 0, "G": 1, "O": 2, "N": 2, "U": 4, "M": 3, "C": 3, "C1": 3, "J1": 3, "E": 3, "T": 3}
SEASON_OF_KIND = ("illness", "holiday", "other_unauthorised", "other_authorised", "other_unauthorised", "illness")
LATE_KIND, EDGE_KIND = 4, 5
HOLIDAY_STARTS = (1.30, 0.90, 0.85, 0.85, 1.10)
EDGE_STARTS = (3.0, 0.25, 0.25, 0.25, 3.0)
ODD, EVEN = 0, 1
#: A longer period of a brief reason is given another reason.
LONGEST_BRIEF = 8
_KIND_OF = np.array([KINDS[reason] for reason in REASONS])
_BRIEF_REASONS = np.array([reason in {"U", "N", "M", "C", "C1", "J1"} for reason in REASONS])
_STRETCHED = np.array([reason in STRETCHED for reason in REASONS])


@dataclass(frozen=True, slots=True)
class AbsentSessions:
    """Absent sessions as flat arrays.

    `line`, `session` (its index among the school's sessions) and `reason` (its index in `REASONS`) have one element each
    per absent session.
    """

    line: Ints
    session: Ints
    reason: Ints


def lay_out_absence(
    rng: np.random.Generator, sessions: Sessions, levels: Levels, window: tuple[Ints, Ints], quota: Ints
) -> AbsentSessions:
    """Lay out `quota` absent sessions for each line inside its window (first session, session after the last).

    Lengths add up to the quota exactly. A period that would begin inside another is moved to the end of it. The periods are
    served in order of start, like a queue, so one running maximum finds every start and none overlaps another.
    """
    lines = quota.size
    chances = rng.random((lines, MOST_PERIODS, 4))
    habits = rng.random((lines, 3))
    reason = _reasons(chances[:, :, 0], _weights(levels, habits[:, 2]))
    length = _lengths(chances[:, :, 1], chances[:, :, 3], reason, levels.rate)
    length = _cut_to_quota(length, quota)
    reason = _change_long_reasons(reason, length)
    exponent = np.where(habits[:, 0] < DRIFTS / 2, DRIFT_LATE, np.where(habits[:, 0] < DRIFTS, DRIFT_EARLY, 1.0))
    chance, has_pattern = chances[:, :, 2] ** exponent[:, None], habits[:, 1] < PATTERNED
    start = _starts(sessions, levels, window, reason=reason, length=length, chance=chance, has_pattern=has_pattern)
    order = np.argsort(np.where(length > 0, start, np.iinfo(np.int64).max), axis=1, kind="stable")
    reason, length, start = (np.take_along_axis(values, order, axis=1) for values in (reason, length, start))
    absent_before = np.cumsum(length, axis=1) - length
    start_after_queue = np.maximum.accumulate(start - absent_before, axis=1) + absent_before
    still_to_come = quota[:, None] - absent_before
    start_after_queue = np.minimum(start_after_queue, window[1][:, None] - still_to_come)
    return _flatten(start_after_queue, length, reason)


def _change_long_reasons(reason: Ints, length: Ints) -> Ints:
    """Give long periods of a brief reason another reason.

    Nobody is late, at an appointment or unexplained for weeks: it is other absence or illness.
    """
    is_too_long = _BRIEF_REASONS[reason] & (length > LONGEST_BRIEF)
    is_unauthorised = np.array([code in {"U", "N"} for code in REASONS])[reason]
    new_reason = np.where(is_unauthorised, REASONS.index("O"), REASONS.index("I"))
    return np.where(is_too_long, new_reason, reason)


def _flatten(start: Ints, length: Ints, reason: Ints) -> AbsentSessions:
    is_used = length > 0
    lengths = length[is_used]
    line = np.repeat(np.nonzero(is_used)[0], lengths)
    offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return AbsentSessions(line, np.repeat(start[is_used], lengths) + offset, np.repeat(reason[is_used], lengths))


def _weights(levels: Levels, chance: Floats) -> Floats:
    """Each line's cumulative weights of the reasons for a period.

    The published shares are of sessions, so each is divided by the length its periods will have.
    """
    share = np.zeros((levels.rate.size, len(REASONS)))
    count = len(AUTHORISED)
    for index, calibration in enumerate(calibrations()):
        of_phase = levels.table == index
        shares = np.array([calibration.session_share(code) for code in REASONS])
        unauthorised = np.where(levels.rate[of_phase] >= PERSISTENT, *calibration.unauthorised_share)[:, None]
        authorised = (1 - unauthorised) * shares[None, :count] / shares[:count].sum()
        share[of_phase] = np.concatenate([authorised, unauthorised * shares[None, count:] / shares[count:].sum()], axis=1)
    suspended_share = np.array(SUSPENDED_SHARES)[levels.table] * np.where(levels.male, 1.3, 0.7)
    share[:, REASONS.index("E")] *= np.where(chance < suspended_share, 1 / suspended_share, 0)
    share[:, REASONS.index("T")] *= np.where(levels.mobile, 1 / MOBILE_SHARE, 0)
    share[:, REASONS.index("U")] *= np.minimum(levels.lateness, 6)
    mean_length = period_lengths().mean(axis=1)
    stretch = np.where(_STRETCHED & (levels.rate[:, None] >= PERSISTENT), 1 + MEAN_STRETCH * levels.rate[:, None], 1)
    return np.cumsum(share / (mean_length * stretch), axis=1)


def _reasons(chance: Floats, weights: Floats) -> Ints:
    level = chance * weights[:, -1:]
    numbers: Ints = (level[:, :, None] >= weights[:, None, :-1]).sum(axis=2)
    return numbers


def _lengths(chance: Floats, stretch: Floats, reason: Ints, rate: Floats) -> Ints:
    """Lengths in sessions.

    For pupils who miss a tenth of the year long periods are longer still, and then whole days.
    """
    length = period_lengths()[reason, (chance * 1000).astype(np.int64)]
    is_stretched = _STRETCHED[reason] & (rate[:, None] >= PERSISTENT)
    stretched = length * (0.5 + stretch) * (1 + MEAN_STRETCH * rate[:, None])
    length = np.where(is_stretched, stretched, length)
    whole_days = 2 * np.rint(length / 2)
    return np.maximum(np.where(is_stretched & (length >= 3), whole_days, np.rint(length)), 1).astype(
        np.int64
    )  # shorter ones may be half days


def _cut_to_quota(length: Ints, quota: Ints) -> Ints:
    """Cut the lengths so that they add up to the quota. The last period takes what is left over."""
    total = np.minimum(np.cumsum(length, axis=1), quota[:, None])
    total[:, -1] = quota
    return np.diff(total, axis=1, prepend=0)


def _starts(
    sessions: Sessions,
    levels: Levels,
    window: tuple[Ints, Ints],
    *,
    reason: Ints,
    length: Ints,
    chance: Floats,
    has_pattern: Bools,
) -> Ints:
    """The wanted start of each period: an index in the line's window, weighted by its kind of start."""
    tables = np.unique(levels.table)
    curves = np.concatenate([_curves(sessions, int(table)) for table in tables])
    kinds = len(SEASON_OF_KIND) * 2
    kind = _KIND_OF[reason]
    kind = np.where(has_pattern[:, None] & ((kind == 0) | (kind == KINDS["O"])), EDGE_KIND, kind)
    curve = np.searchsorted(tables, levels.table)[:, None] * kinds + kind * 2 + np.where(length % 2 == 0, EVEN, ODD)
    lowest, highest = curves[curve, window[0][:, None]], curves[curve, window[1][:, None]]
    # Every curve rises from 0 to 1. Set end to end they are one rising line, so a single search finds every start;
    # a search per line and kind would take minutes for a county.
    climbing = (curves[:, 1:] + np.arange(len(curves))[:, None]).ravel()
    position = np.searchsorted(climbing, curve + lowest + chance * (highest - lowest), side="right") - curve * sessions.day.size
    start: Ints = np.clip(position, window[0][:, None], np.maximum(window[1] - 1, window[0])[:, None])
    return start


def _curves(sessions: Sessions, table: int) -> Floats:
    """For each kind of start and odd and even lengths, the sessions' cumulative weights from 0 to 1.

    An even period begins in the morning; an odd one in either half of the day; a late arrival mostly in the morning.
    """
    season = sessions.season(table)
    curves = np.zeros((len(SEASON_OF_KIND) * 2, sessions.day.size + 1))
    for kind, season_name in enumerate(SEASON_OF_KIND):
        by_day = np.array(HOLIDAY_STARTS if season_name == "holiday" else calibrations()[table].starts_by_weekday)
        by_day = np.array(EDGE_STARTS) if kind == EDGE_KIND else by_day
        weight = season[season_name] * by_day[sessions.weekday]
        halves = (0.85, 0.15) if kind == LATE_KIND else (MORNING, AFTERNOON)
        any_half = weight * np.where(sessions.afternoon, halves[1], halves[0])
        curves[kind * 2 + ODD, 1:] = np.cumsum(any_half) / any_half.sum()
        morning = np.where(sessions.afternoon, 0, weight)
        curves[kind * 2 + EVEN, 1:] = np.cumsum(morning) / morning.sum()
    return curves
