"""School rolls: year groups, joiners, leavers, moves between schools, and pupils on two rolls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from demo.place_names import NO_CLUSTER
from demo.seeded_random import stream
from portal.rules.school_age import last_friday_in_june

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from demo.plans import School
    from portal.rules.calendar import Calendar

#: Shares of the pupils on roll at the start of a year who leave the authority, move within it, or join later. Together
#: they make about one enrolment in ten last part of a year, as published figures imply.
LEAVES = 0.028
MOVES = 0.023
JOINS = 0.031
#: Shares over the summer: pupils who leave the authority; Year 6 pupils who go to another cluster's secondary school;
#: Year 11 pupils who stay on for a sixth form.
LEAVES_IN_SUMMER = 0.012
GOES_ELSEWHERE = 0.12
STAYS_ON = 0.5
YEAR_6, YEAR_7, YEAR_11, YEAR_12, YEAR_13 = 6, 7, 11, 12, 13
LEAVES_IN_JUNE = frozenset({YEAR_11, YEAR_13})
ON_TWO_ROLLS = 6


@dataclass(slots=True)
class Child:
    """A pupil before being given a name: birth cohort and home cluster.

    `cohort` is the year group in the first year; below 0 means not yet at school.
    """

    cohort: int
    cluster: int
    arrived: bool = False


@dataclass(slots=True)
class Enrolment:
    """A child's enrolment at one school in one academic year. `away` as in `plans.Levels`."""

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
    """Every child and every enrolment over the plan's years."""

    seed: int
    schools: Sequence[School]
    calendars: Mapping[tuple[str, int], Calendar]
    children: list[Child] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)

    def add_child(self, cohort: int, cluster: int, *, arrived: bool = False) -> int:
        """Add a child, and return its number."""
        self.children.append(Child(cohort, cluster, arrived))
        return len(self.children) - 1

    def days(self, school: School, year: int, group: int = 0) -> tuple[date, ...]:
        """The days a school meets in an academic year, for one year group.

        Year groups that leave in June have no days after that.
        """
        last = last_friday_in_june(year + 1) if group in LEAVES_IN_JUNE else date(year + 1, 8, 31)
        return self.calendars[school.urn, year].school_days((date(year, 9, 1), last))


def make_rolls(seed: int, schools: Sequence[School], calendars: Mapping[tuple[str, int], Calendar], years: Sequence[int]) -> Roll:
    """Rolls of two academic years.

    The first year is filled and simulated, its pupils move up, and the second year is simulated.
    """
    roll = Roll(seed, schools, calendars)
    first, second = years
    opening = [
        Enrolment(roll.add_child(group, school.cluster), school, first, group, date(first, 9, 1))
        for school in schools
        for group, size in _sizes(roll, school, first).items()
        for _ in range(size)
    ]
    remaining = _simulate_year(roll, opening, first)
    _add_dual_registered(roll, remaining, first)
    _simulate_year(roll, _move_up(roll, remaining, second), second)
    return roll


def _sizes(roll: Roll, school: School, year: int) -> dict[int, int]:
    """Pupils in each year group: a few less than capacity. Sixth forms are a third of the size."""
    rng = stream(roll.seed, "sizes", int(school.urn), year)
    main_groups = [group for group in school.groups if group <= YEAR_11]
    average = school.capacity / len(main_groups)
    return {
        group: max(1, round(average * (0.33 if group > YEAR_11 else 1.0) - rng.exponential(average * 0.04)))
        for group in school.groups
    }


def _simulate_year(roll: Roll, opening: list[Enrolment], year: int) -> list[Enrolment]:
    """Let a year pass: some pupils leave, some move, some join.

    Adds every enrolment to the roll; returns those that are current at the year's end.
    """
    rng = stream(roll.seed, "year", year)
    # Each enrolment draws in turn: adding one at the end then changes nothing drawn before it.
    remaining = []
    for enrolment in opening:
        chance, moment = rng.random(2)
        days = roll.days(enrolment.school, year, enrolment.group)
        roll.enrolments.append(enrolment)
        if chance < LEAVES + MOVES and enrolment.group <= YEAR_11 and enrolment.status == "C":
            last_index = 5 + int(moment * (len(days) - 15))
            enrolment.last, enrolment.part_year = days[last_index], True
            new_school = _school_to_move_to(roll, rng, enrolment) if chance < MOVES else None
            if new_school is not None:
                first = next((on for on in roll.days(new_school, year, enrolment.group) if on > days[last_index]), days[-1])
                new_enrolment = Enrolment(enrolment.child, new_school, year, enrolment.group, first, part_year=True)
                roll.enrolments.append(new_enrolment)
                remaining.append(new_enrolment)
        else:
            remaining.append(enrolment)
    joiners = list(_new_enrolments(roll, rng, opening, year))
    roll.enrolments += joiners
    _end_in_june(remaining + joiners, year)
    return remaining + joiners


def _school_to_move_to(roll: Roll, rng: np.random.Generator, enrolment: Enrolment) -> School | None:
    candidates = [
        school
        for school in roll.schools
        if school.phase == enrolment.school.phase and enrolment.group in school.groups and school is not enrolment.school
    ]
    nearest = [school for school in candidates if school.cluster == enrolment.school.cluster] or candidates
    return nearest[int(rng.integers(len(nearest)))] if nearest else None


def _new_enrolments(roll: Roll, rng: np.random.Generator, opening: list[Enrolment], year: int) -> Iterable[Enrolment]:
    years_on = year - min(first_year for _, first_year in roll.calendars)
    for enrolment in opening:
        if rng.random() < JOINS and enrolment.group <= YEAR_11:
            days = roll.days(enrolment.school, year, enrolment.group)
            first = days[5 + int(rng.random() * (len(days) - 15))]
            child = roll.add_child(enrolment.group - years_on, enrolment.school.cluster, arrived=True)
            yield Enrolment(child, enrolment.school, year, enrolment.group, first, part_year=True)


def _end_in_june(enrolments: Iterable[Enrolment], year: int) -> None:
    for enrolment in enrolments:
        if enrolment.group in LEAVES_IN_JUNE:
            enrolment.last = last_friday_in_june(year + 1)


def _move_up(roll: Roll, remaining: list[Enrolment], year: int) -> list[Enrolment]:
    """Move every pupil up a year, then fill Reception and Year 7.

    Pupils go on at the same school, to a secondary school, or away.
    """
    rng = stream(roll.seed, "moving up", year)
    secondaries = [school for school in roll.schools if school.phase == "secondary"]
    opening: list[Enrolment] = []
    for enrolment in remaining:
        chance, choice = rng.random(2)
        next_school = _next_school(enrolment, secondaries, chance, choice)
        if next_school is None or next_school is not enrolment.school:
            enrolment.last = enrolment.last or roll.days(enrolment.school, enrolment.year)[-1]
        if next_school is not None:
            opening.append(
                Enrolment(
                    enrolment.child,
                    next_school,
                    year,
                    enrolment.group + 1,
                    date(year, 9, 1),
                    away=enrolment.away,
                    status=enrolment.status,
                )
            )
    return opening + _intake(roll, opening, year)


def _next_school(enrolment: Enrolment, secondaries: list[School], chance: float, choice: float) -> School | None:
    if enrolment.group == YEAR_11:
        return enrolment.school if YEAR_12 in enrolment.school.groups and chance < STAYS_ON else None
    if chance > 1 - LEAVES_IN_SUMMER and enrolment.status == "C":
        return None
    if enrolment.group + 1 in enrolment.school.groups:
        return enrolment.school
    if enrolment.group != YEAR_6 or not secondaries:
        return None
    local = [school for school in secondaries if school.cluster == enrolment.school.cluster]
    return local[0] if local and chance > GOES_ELSEWHERE else secondaries[int(choice * len(secondaries))]


def _intake(roll: Roll, opening: list[Enrolment], year: int) -> list[Enrolment]:
    filled = Counter((enrolment.school.number, enrolment.group) for enrolment in opening)
    intake = []
    for school in roll.schools:
        sizes, group = _sizes(roll, school, year), school.groups.start
        for _ in range(sizes[group] - filled[school.number, group]):
            child = roll.add_child(group - 1, school.cluster)
            intake.append(Enrolment(child, school, year, group, date(year, 9, 1)))
    return intake


def _add_dual_registered(roll: Roll, remaining: list[Enrolment], year: int) -> None:
    """Put a few secondary pupils on the alternative provision's roll too.

    Their enrolment is main at their school and subsidiary at the provision.
    """
    centre = next((school for school in roll.schools if school.phase == "alternative"), None)
    if centre is None:
        return
    rng = stream(roll.seed, "two rolls")
    eligible = [
        enrolment
        for enrolment in remaining
        if enrolment.school.phase == "secondary" and YEAR_7 < enrolment.group < YEAR_11 and not enrolment.part_year
    ]
    for index in rng.permutation(len(eligible))[:ON_TWO_ROLLS]:
        enrolment = eligible[int(index)]
        enrolment.status, enrolment.away = "M", 1
        second = Enrolment(enrolment.child, centre, year, enrolment.group, enrolment.first, status="S", away=2)
        roll.enrolments.append(second)
        remaining.append(second)


def forget_future(roll: Roll, today: date, years: Sequence[int]) -> None:
    """Remove what has not happened by `today`: later enrolments, and later leaving dates.

    Children keep their numbers, because everything else refers to them.
    """
    roll.enrolments = [enrolment for enrolment in roll.enrolments if enrolment.first <= today or enrolment.year < years[-1]]
    for enrolment in roll.enrolments:
        if enrolment.last is not None and enrolment.last >= today:
            enrolment.last = None
    roll.enrolments.sort(key=lambda enrolment: (enrolment.year, enrolment.school.number))


def home_clusters(roll: Roll, clusters: int) -> list[int]:
    """The cluster each child lives in.

    That is its school's cluster, or a random one for a school that serves the whole authority.
    """
    rng = stream(roll.seed, "homes")
    anywhere = rng.integers(max(clusters, 1), size=len(roll.children))
    return [
        int(random_cluster) if child.cluster == NO_CLUSTER else child.cluster
        for child, random_cluster in zip(roll.children, anywhere, strict=True)
    ]
