"""Who is on roll where and when: year groups, joiners, leavers, moves between schools, and pupils on two rolls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from portal.demonstration.places import NO_CLUSTER
from portal.demonstration.streams import stream
from portal.rules.school_age import last_friday_in_june

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from portal.demonstration.plans import School
    from portal.rules.calendar import Calendar

#: Of the pupils on roll at the start of a year: how many leave the authority, move within it, or join later. Together
#: they make about one enrolment in ten part of a year, as published figures imply.
LEAVES = 0.028
MOVES = 0.023
JOINS = 0.031
#: Over the summer: leave the authority; and of Year 6, go on to a secondary school that is not their cluster's.
LEAVES_IN_SUMMER = 0.012
GOES_ELSEWHERE = 0.12
STAYS_ON = 0.5
YEAR_6, YEAR_7, YEAR_11, YEAR_12, YEAR_13 = 6, 7, 11, 12, 13
LEAVES_IN_JUNE = frozenset({YEAR_11, YEAR_13})
ON_TWO_ROLLS = 6


@dataclass(slots=True)
class Child:
    """Who a pupil is before having a name: the year group in the first year (below 0: not yet at school) and the home cluster."""

    cohort: int
    cluster: int
    arrived: bool = False


@dataclass(slots=True)
class Spot:
    """A child's place on one school's roll in one academic year. `away` as in `plans.Levels`."""

    child: int
    school: School
    year: int
    group: int
    first: date
    last: date | None = None
    status: str = "C"
    part_year: bool = False
    away: int = 0


@dataclass(slots=True)
class Roll:
    """Every child and every place on a roll, over the plan's years."""

    seed: int
    schools: Sequence[School]
    calendars: Mapping[tuple[str, int], Calendar]
    children: list[Child] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)

    def child(self, cohort: int, cluster: int, *, arrived: bool = False) -> int:
        """Add a child; the answer is its number."""
        self.children.append(Child(cohort, cluster, arrived))
        return len(self.children) - 1

    def days(self, school: School, year: int, group: int = 0) -> tuple[date, ...]:
        """The days a school meets in an academic year; for a year group that leaves in June, until then."""
        last = last_friday_in_june(year + 1) if group in LEAVES_IN_JUNE else date(year + 1, 8, 31)
        return self.calendars[school.urn, year].school_days((date(year, 9, 1), last))


def roll_over(seed: int, schools: Sequence[School], calendars: Mapping[tuple[str, int], Calendar], years: Sequence[int]) -> Roll:
    """Two academic years of rolls: a first year filled, lived through and moved up, then the second lived through."""
    roll = Roll(seed, schools, calendars)
    first, second = years
    opening = [
        Spot(roll.child(group, school.cluster), school, first, group, date(first, 9, 1))
        for school in schools
        for group, size in _sizes(roll, school, first).items()
        for _ in range(size)
    ]
    staying = _live_through(roll, opening, first)
    _two_rolls(roll, staying, first)
    _live_through(roll, _move_up(roll, staying, second), second)
    return roll


def _sizes(roll: Roll, school: School, year: int) -> dict[int, int]:
    """Pupils in each year group: near the capacity of a year, a few short; sixth forms are a third of the size."""
    draw = stream(roll.seed, "sizes", int(school.urn), year)
    main = [group for group in school.groups if group <= YEAR_11]
    each = school.capacity / len(main)
    return {
        group: max(1, round(each * (0.33 if group > YEAR_11 else 1.0) - draw.exponential(each * 0.04))) for group in school.groups
    }


def _live_through(roll: Roll, opening: list[Spot], year: int) -> list[Spot]:
    """Let a year pass: some leave, some move, some join. Adds every place to the roll; answers those held at its end."""
    draw = stream(roll.seed, "year", year)
    # Each draws its chance in turn, so that a place added at the end changes no earlier one.
    staying = []
    for spot in opening:
        fate, when = draw.random(2)
        days = roll.days(spot.school, year, spot.group)
        roll.spots.append(spot)
        if fate < LEAVES + MOVES and spot.group <= YEAR_11 and spot.status == "C":
            day = 5 + int(when * (len(days) - 15))
            spot.last, spot.part_year = days[day], True
            elsewhere = _another_school(roll, draw, spot) if fate < MOVES else None
            if elsewhere is not None:
                begins = next((on for on in roll.days(elsewhere, year, spot.group) if on > days[day]), days[-1])
                moved = Spot(spot.child, elsewhere, year, spot.group, begins, part_year=True)
                roll.spots.append(moved)
                staying.append(moved)
        else:
            staying.append(spot)
    joining = list(_joiners(roll, draw, opening, year))
    roll.spots += joining
    _year_11_leaves(staying + joining, year)
    return staying + joining


def _another_school(roll: Roll, draw: np.random.Generator, spot: Spot) -> School | None:
    others = [
        school
        for school in roll.schools
        if school.phase == spot.school.phase and spot.group in school.groups and school is not spot.school
    ]
    near = [school for school in others if school.cluster == spot.school.cluster] or others
    return near[int(draw.integers(len(near)))] if near else None


def _joiners(roll: Roll, draw: np.random.Generator, opening: list[Spot], year: int) -> Iterable[Spot]:
    shift = year - min(one for _, one in roll.calendars)
    for spot in opening:
        if draw.random() < JOINS and spot.group <= YEAR_11:
            days = roll.days(spot.school, year, spot.group)
            first = days[5 + int(draw.random() * (len(days) - 15))]
            child = roll.child(spot.group - shift, spot.school.cluster, arrived=True)
            yield Spot(child, spot.school, year, spot.group, first, part_year=True)


def _year_11_leaves(spots: Iterable[Spot], year: int) -> None:
    for spot in spots:
        if spot.group in LEAVES_IN_JUNE:
            spot.last = last_friday_in_june(year + 1)


def _move_up(roll: Roll, staying: list[Spot], year: int) -> list[Spot]:
    """Move everyone up a year: on at the same school, to secondary school, or away; then fill Reception and Year 7."""
    draw = stream(roll.seed, "moving up", year)
    seniors = [school for school in roll.schools if school.phase == "secondary"]
    opening: list[Spot] = []
    for spot in staying:
        chance, choice = draw.random(2)
        after = _next_school(spot, seniors, chance, choice)
        if after is None or after is not spot.school:
            spot.last = spot.last or roll.days(spot.school, spot.year)[-1]
        if after is not None:
            opening.append(Spot(spot.child, after, year, spot.group + 1, date(year, 9, 1), away=spot.away, status=spot.status))
    return opening + _intake(roll, opening, year)


def _next_school(spot: Spot, seniors: list[School], chance: float, choice: float) -> School | None:
    if spot.group == YEAR_11:
        return spot.school if YEAR_12 in spot.school.groups and chance < STAYS_ON else None
    if chance > 1 - LEAVES_IN_SUMMER and spot.status == "C":
        return None
    if spot.group + 1 in spot.school.groups:
        return spot.school
    if spot.group != YEAR_6 or not seniors:
        return None
    own = [school for school in seniors if school.cluster == spot.school.cluster]
    return own[0] if own and chance > GOES_ELSEWHERE else seniors[int(choice * len(seniors))]


def _intake(roll: Roll, opening: list[Spot], year: int) -> list[Spot]:
    held = Counter((spot.school.house, spot.group) for spot in opening)
    arriving = []
    for school in roll.schools:
        sizes, group = _sizes(roll, school, year), school.groups.start
        for _ in range(sizes[group] - held[school.house, group]):
            child = roll.child(group - 1, school.cluster)
            arriving.append(Spot(child, school, year, group, date(year, 9, 1)))
    return arriving


def _two_rolls(roll: Roll, staying: list[Spot], year: int) -> None:
    """Put a few secondary pupils on the alternative provision's roll too: main at their school, subsidiary there."""
    centre = next((school for school in roll.schools if school.phase == "alternative"), None)
    if centre is None:
        return
    draw = stream(roll.seed, "two rolls")
    fit = [spot for spot in staying if spot.school.phase == "secondary" and YEAR_7 < spot.group < YEAR_11 and not spot.part_year]
    for place in draw.permutation(len(fit))[:ON_TWO_ROLLS]:
        spot = fit[int(place)]
        spot.status, spot.away = "M", 1
        other = Spot(spot.child, centre, year, spot.group, spot.first, status="S", away=2)
        roll.spots.append(other)
        staying.append(other)


def seen_on(roll: Roll, today: date, years: Sequence[int]) -> None:
    """Forget what has not happened by `today`: places not yet taken up, leavings still ahead. Numbers of children stay."""
    roll.spots = [spot for spot in roll.spots if spot.first <= today or spot.year < years[-1]]
    for spot in roll.spots:
        if spot.last is not None and spot.last >= today:
            spot.last = None
    roll.spots.sort(key=lambda spot: (spot.year, spot.school.house))


def homes(roll: Roll, clusters: int) -> list[int]:
    """The cluster each child lives in: its school's, or for a school that serves the whole authority any."""
    draw = stream(roll.seed, "homes")
    anywhere = draw.integers(max(clusters, 1), size=len(roll.children))
    return [
        int(elsewhere) if child.cluster == NO_CLUSTER else child.cluster
        for child, elsewhere in zip(roll.children, anywhere, strict=True)
    ]
