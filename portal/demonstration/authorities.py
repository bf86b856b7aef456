"""Whole authorities: Wrenfold, drawn to the size asked for, and Eastmarch next door with its look-alike names."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from portal.demonstration.families import Settling, settle
from portal.demonstration.levels import in_order, levels_of
from portal.demonstration.people import people_of
from portal.demonstration.places import invented_schools
from portal.demonstration.plans import Gap, Line, Plan, Register
from portal.demonstration.pupils import name_pupils
from portal.demonstration.rolls import homes, roll_over, seen_on
from portal.demonstration.terms import authority_terms, calendar_of, own_closures, own_terms
from portal.pupils.incoming import folded
from portal.rules.calendar import academic_year

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.demonstration.families import Family
    from portal.demonstration.plans import Closed, Parent, Pupil, School, Term
    from portal.demonstration.rolls import Roll, Spot
    from portal.rules.calendar import Calendar

#: One school in three is a polling station; one school takes its October half term a week early.
POLLING_EVERY = 3
CLASS_SIZE = 30
YEAR_6 = 6
#: One school has sent nothing for three weeks; another is a week behind.
SILENT_WEEKS, LATE_WEEKS = 3, 1
LOOK_ALIKES, SAME_UPN = 60, 3
SMALL_YEAR = 16
TREES = ("Ash", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak")


def authority(
    seed: int,
    *,
    today: date,
    schools: int = 24,
    pupils: int = 9000,
    name: str = "Wrenfold",
    la_code: str = "999",
    first_urn: int = 900001,
) -> Plan:
    """An invented authority on a day: last academic year and this year to date.

    Promises the same plan for the same arguments. `schools` and `pupils` are aims: pupils on roll at a time come
    within a few per cent. Raises ValueError for fewer than 3 schools or fewer than 40 pupils a school on average.
    """
    if schools < 3 or pupils < 40 * schools:  # noqa: PLR2004  fewer make no authority
        message = "An authority has at least 3 schools and 40 pupils a school."
        raise ValueError(message)
    years = (academic_year(today) - 1, academic_year(today))
    places = invented_schools(seed, schools, pupils, la_code, first_urn)
    terms, closed = _dates(seed, places, years)
    calendars = {(school.urn, year): calendar_of(terms, closed, school.urn, year) for school in places for year in years}
    roll = roll_over(seed, places, calendars, years)
    seen_on(roll, today, years)
    families = settle(seed, _settling(roll, places, years[0]))
    named = name_pupils(seed, families, roll.spots, la_code, today)
    parents = _parents_of(named, families)
    registers = _registers((seed, today), places, {pupil.number: pupil for pupil in named}, roll.spots, calendars)
    return Plan(
        seed=seed, today=today, name=name, slug=folded(name).replace(" ", "-"), la_code=la_code, years=years,
        trusts=tuple(sorted({school.trust for school in places if school.trust})), schools=places, terms=terms,
        closed=closed, pupils=named, parents=parents, registers=MappingProxyType(registers),
        people=people_of(name, places), gaps=_gaps(places),
    )  # fmt: skip


def neighbour(plan: Plan, *, schools: int = 4, pupils: int = 600) -> Plan:
    """Eastmarch, next door: some of its schools and pupils have the names and birthdays of the plan's own.

    A few even have the same UPN, so that whatever looks across authorities shows at once.
    """
    beside = authority(
        plan.seed + 1, today=plan.today, schools=schools, pupils=pupils, name="Eastmarch", la_code="001", first_urn=990001
    )
    alike: defaultdict[tuple[int, str], list[Pupil]] = defaultdict(list)
    for pupil in plan.pupils:
        alike[academic_year(pupil.date_of_birth), pupil.sex].append(pupil)
    changed, same_upn = [], 0
    step = max(1, len(beside.pupils) // LOOK_ALIKES)
    for place, pupil in enumerate(beside.pupils):
        twins = alike[academic_year(pupil.date_of_birth), pupil.sex]
        if place % step or not twins:
            changed.append(pupil)
            continue
        other = twins[place % len(twins)]
        upn = other.upn if same_upn < SAME_UPN else pupil.upn
        same_upn += 1
        changed.append(replace(pupil, surname=other.surname, forename=other.forename, date_of_birth=other.date_of_birth, upn=upn))
    named = {school.phase: school.name for school in reversed(plan.schools)}
    firsts = {school.phase: school.urn for school in reversed(beside.schools)}
    renamed = [replace(one, name=named[one.phase]) if firsts[one.phase] == one.urn else one for one in beside.schools]
    return replace(beside, pupils=tuple(changed), schools=tuple(renamed))


def _dates(seed: int, places: Sequence[School], years: Sequence[int]) -> tuple[tuple[Term, ...], tuple[Closed, ...]]:
    terms: list[Term] = []
    closed: list[Closed] = []
    different = next((school for school in places if school.phase == "all-through"), None)
    for year in years:
        usual, holidays = authority_terms(year)
        terms += usual
        closed += holidays
        if different is not None:
            terms += own_terms(different, year)
        for school in places:
            closed += own_closures(seed, school, year, polling=school.house % POLLING_EVERY == 0)
    return tuple(terms), tuple(closed)


def _settling(roll: Roll, places: Sequence[School], first_year: int) -> Settling:
    desks: dict[int, tuple[int, int]] = {}
    for spot in roll.spots:
        desks.setdefault(spot.child, (spot.school.house, spot.group))
    cohorts = [child.cohort for child in roll.children]
    clusters = 1 + max(school.cluster for school in places)
    # Children with no place on a roll yet get a desk of their own, so that nobody is taken for their twin.
    every = [desks.get(child, (-1 - child, 0)) for child in range(len(cohorts))]
    return Settling(first_year, cohorts, homes(roll, clusters), every)


def _parents_of(named: Sequence[Pupil], families: Sequence[Family]) -> tuple[Parent, ...]:
    known = {tie.parent for pupil in named for tie in pupil.ties}
    return tuple(parent for family in families for parent in family.parents if parent.number in known)


def _registers(
    plan: tuple[int, date],
    places: Sequence[School],
    pupils: Mapping[int, Pupil],
    spots: Sequence[Spot],
    calendars: Mapping[tuple[str, int], Calendar],
) -> dict[tuple[str, int], Register]:
    seed, today = plan
    found: dict[tuple[str, int], Register] = {}
    for year in sorted({year for _, year in calendars}):
        for urn, (here, levels) in levels_of(seed, places, pupils, spots, year).items():
            weeks = calendars[urn, year].school_weeks()
            begun = calendars[urn, year].school_weeks((weeks[0], today - timedelta(days=1)))
            lines, order = _lines(here, pupils)
            found[urn, year] = Register(urn, year, weeks, len(begun), lines, in_order(levels, order))
    return found


def _lines(here: Sequence[Spot], pupils: Mapping[int, Pupil]) -> tuple[tuple[Line, ...], list[int]]:
    """The lines of a register: by year, class and name for those there on the first day, then as they came."""
    classes = _classes(here)
    opening = min(spot.first for spot in here)
    order = sorted(
        range(len(here)),
        key=lambda place: (
            max(here[place].first, opening),
            here[place].group,
            classes[place],
            folded(pupils[here[place].child].surname),
            folded(pupils[here[place].child].forename),
            here[place].child,
        ),
    )
    lines = tuple(
        Line(
            line=number,
            pupil=here[place].child,
            year_group=str(here[place].group) if here[place].group else "R",
            registration_group=classes[place],
            enrolment_status=here[place].status,
            on_roll_from=here[place].first,
            on_roll_until=here[place].last,
        )
        for number, place in enumerate(order, start=1)
    )
    return lines, order


def _classes(here: Sequence[Spot]) -> list[str]:
    """The registration group of each place: one letter of WRENFOLD, a tree, or two years together in a small school."""
    sizes = Counter(spot.group for spot in here)
    dealt: Counter[int] = Counter()
    found = []
    for spot in here:
        dealt[spot.group] += 1
        year = str(spot.group) if spot.group else "R"
        rooms = max(1, round(sizes[spot.group] / CLASS_SIZE))
        room = dealt[spot.group] % rooms
        if spot.group > YEAR_6:
            found.append(f"{year}{'WRENFOLD'[room % 8]}{room // 8 or ''}")
        elif 0 < sizes[spot.group] <= SMALL_YEAR and spot.group > 0:
            low = spot.group - (spot.group - 1) % 2
            found.append(f"{low}/{low + 1}")
        else:
            found.append(f"{year} {TREES[room]}" if spot.school.house % 2 else f"{year}{'ABCDEFGH'[room]}")
    return found


def _gaps(places: Sequence[School]) -> tuple[Gap, ...]:
    primaries = [school for school in places if school.phase == "primary"]
    seniors = [school for school in places if school.phase == "secondary"]
    if len(primaries) < 4 or not seniors:  # noqa: PLR2004  a small authority has sent everything
        return ()
    return (
        Gap(primaries[2].urn, SILENT_WEEKS, "has sent nothing for three weeks"),
        Gap(seniors[-1].urn, LATE_WEEKS, "is a week behind"),
    )
