"""Whole authorities: Wrenfold, of the size asked for, and its neighbour Eastmarch with similar names."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from demo.families import Children, make_families
from demo.levels import levels_of, reorder
from demo.people import people_of
from demo.place_names import invented_schools
from demo.plans import Gap, Line, Plan, Register
from demo.pupils import make_pupils
from demo.rolls import forget_future, home_clusters, make_rolls
from demo.terms import authority_terms, calendar_of, own_closures, own_terms
from portal.pupils.domain.incoming import folded
from portal.rules.calendar import academic_year

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from demo.families import Family
    from demo.plans import ClosedDays, Parent, Pupil, School, Term
    from demo.rolls import Enrolment, Roll
    from portal.rules.calendar import Calendar

#: One school in three is a polling station; one school takes its October half term a week early.
POLLING_EVERY = 3
CLASS_SIZE = 30
YEAR_6 = 6
#: One school has sent nothing for three weeks; another is a week behind.
SILENT_WEEKS, LATE_WEEKS = 3, 1
LOOK_ALIKE_COUNT, SAME_UPN_COUNT = 60, 3
SMALL_YEAR = 16
TREES = ("Ash", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak")


@dataclass(frozen=True, slots=True)
class Identity:
    """The name and the numbers of an invented authority. No real authority or school has these numbers."""

    name: str
    la_code: str
    first_urn: int


WRENFOLD = Identity("Wrenfold", "999", 900001)
EASTMARCH = Identity("Eastmarch", "001", 990001)


def plan_authority(seed: int, *, today: date, schools: int = 24, pupils: int = 9000, identity: Identity = WRENFOLD) -> Plan:
    """An invented authority on a day: last academic year and this year to date.

    The same arguments give the same plan. `schools` and `pupils` are aims: the pupils on roll at a time come within a few
    per cent.

    Raises:
        ValueError: for fewer than 3 schools, or fewer than 40 pupils a school on average.
    """
    if schools < 3 or pupils < 40 * schools:
        raise ValueError("An authority has at least 3 schools and 40 pupils a school.")
    years = (academic_year(today) - 1, academic_year(today))
    school_list = invented_schools(seed, schools, pupils, identity.la_code, identity.first_urn)
    terms, closed = _term_dates(seed, school_list, years)
    calendars = {(school.urn, year): calendar_of(terms, closed, school.urn, year) for school in school_list for year in years}
    roll = make_rolls(seed, school_list, calendars, years)
    forget_future(roll, today, years)
    families = make_families(seed, _children(roll, school_list, years[0]))
    pupil_list = make_pupils(seed, families, roll.enrolments, identity.la_code, today)
    parents = _parents(pupil_list, families)
    registers = _registers((seed, today), school_list, {pupil.number: pupil for pupil in pupil_list}, roll.enrolments, calendars)
    return Plan(
        seed=seed,
        today=today,
        name=identity.name,
        slug=folded(identity.name).replace(" ", "-"),
        la_code=identity.la_code,
        years=years,
        trusts=tuple(sorted({school.trust for school in school_list if school.trust})),
        schools=school_list,
        terms=terms,
        closed=closed,
        pupils=pupil_list,
        parents=parents,
        registers=MappingProxyType(registers),
        people=people_of(identity.name, school_list),
        gaps=_gaps(school_list),
    )


def plan_neighbour(plan: Plan, *, schools: int = 4, pupils: int = 600) -> Plan:
    """Eastmarch, the neighbour: some of its schools and pupils have the names and birthdays of the plan's own.

    A few even have the same UPN, so that a query across authorities is noticed at once.
    """
    next_door = plan_authority(plan.seed + 1, today=plan.today, schools=schools, pupils=pupils, identity=EASTMARCH)
    similar: defaultdict[tuple[int, str], list[Pupil]] = defaultdict(list)
    for pupil in plan.pupils:
        similar[academic_year(pupil.date_of_birth), pupil.sex].append(pupil)
    changed_pupils, same_upn_count = [], 0
    step = max(1, len(next_door.pupils) // LOOK_ALIKE_COUNT)
    for index, pupil in enumerate(next_door.pupils):
        candidates = similar[academic_year(pupil.date_of_birth), pupil.sex]
        if index % step or not candidates:
            changed_pupils.append(pupil)
            continue
        model = candidates[index % len(candidates)]
        upn = model.upn if same_upn_count < SAME_UPN_COUNT else pupil.upn
        same_upn_count += 1
        changed_pupils.append(
            replace(pupil, surname=model.surname, forename=model.forename, date_of_birth=model.date_of_birth, upn=upn)
        )
    names_by_phase = {school.phase: school.name for school in reversed(plan.schools)}
    first_urns = {school.phase: school.urn for school in reversed(next_door.schools)}
    renamed_schools = [
        replace(school, name=names_by_phase[school.phase]) if first_urns[school.phase] == school.urn else school
        for school in next_door.schools
    ]
    return replace(next_door, pupils=tuple(changed_pupils), schools=tuple(renamed_schools))


def _term_dates(seed: int, schools: Sequence[School], years: Sequence[int]) -> tuple[tuple[Term, ...], tuple[ClosedDays, ...]]:
    terms: list[Term] = []
    closed: list[ClosedDays] = []
    all_through = next((school for school in schools if school.phase == "all-through"), None)
    for year in years:
        usual_terms, holidays = authority_terms(year)
        terms += usual_terms
        closed += holidays
        if all_through is not None:
            terms += own_terms(all_through, year)
        for school in schools:
            closed += own_closures(seed, school, year, is_polling_station=school.number % POLLING_EVERY == 0)
    return tuple(terms), tuple(closed)


def _children(roll: Roll, schools: Sequence[School], first_year: int) -> Children:
    first_classes: dict[int, tuple[int, int]] = {}
    for enrolment in roll.enrolments:
        first_classes.setdefault(enrolment.child, (enrolment.school.number, enrolment.group))
    cohorts = [child.cohort for child in roll.children]
    clusters = 1 + max(school.cluster for school in schools)
    # A child not yet enrolled anywhere gets a class of its own: two of them would otherwise pass for twins.
    all_classes = [first_classes.get(child, (-1 - child, 0)) for child in range(len(cohorts))]
    return Children(first_year, cohorts, home_clusters(roll, clusters), all_classes)


def _parents(pupils: Sequence[Pupil], families: Sequence[Family]) -> tuple[Parent, ...]:
    numbers = {contact.parent for pupil in pupils for contact in pupil.contacts}
    return tuple(parent for family in families for parent in family.parents if parent.number in numbers)


def _registers(
    seed_and_today: tuple[int, date],
    schools: Sequence[School],
    pupils: Mapping[int, Pupil],
    enrolments: Sequence[Enrolment],
    calendars: Mapping[tuple[str, int], Calendar],
) -> dict[tuple[str, int], Register]:
    seed, today = seed_and_today
    registers: dict[tuple[str, int], Register] = {}
    for year in sorted({year for _, year in calendars}):
        for urn, (of_school, levels) in levels_of(seed, schools, pupils, enrolments, year).items():
            weeks = calendars[urn, year].school_weeks()
            weeks_begun = calendars[urn, year].school_weeks((weeks[0], today - timedelta(days=1)))
            lines, order = _lines(of_school, pupils)
            registers[urn, year] = Register(urn, year, weeks, len(weeks_begun), lines, reorder(levels, order))
    return registers


def _lines(enrolments: Sequence[Enrolment], pupils: Mapping[int, Pupil]) -> tuple[tuple[Line, ...], list[int]]:
    """The lines of a register, and the enrolments' indexes in that order.

    Pupils of the first day come by year, class and name; later ones follow in the order in which they joined.
    """
    classes = _classes(enrolments)
    first_day = min(enrolment.first for enrolment in enrolments)
    order = sorted(
        range(len(enrolments)),
        key=lambda index: (
            max(enrolments[index].first, first_day),
            enrolments[index].group,
            classes[index],
            folded(pupils[enrolments[index].child].surname),
            folded(pupils[enrolments[index].child].forename),
            enrolments[index].child,
        ),
    )
    lines = tuple(
        Line(
            line=number,
            pupil=enrolments[index].child,
            year_group=str(enrolments[index].group) if enrolments[index].group else "R",
            registration_group=classes[index],
            enrolment_status=enrolments[index].status,
            on_roll_from=enrolments[index].first,
            on_roll_until=enrolments[index].last,
        )
        for number, index in enumerate(order, start=1)
    )
    return lines, order


def _classes(enrolments: Sequence[Enrolment]) -> list[str]:
    """The registration group of each enrolment.

    It is a letter of WRENFOLD, a tree, or two years together in a small school.
    """
    sizes = Counter(enrolment.group for enrolment in enrolments)
    placed: Counter[int] = Counter()
    groups = []
    for enrolment in enrolments:
        placed[enrolment.group] += 1
        year = str(enrolment.group) if enrolment.group else "R"
        class_count = max(1, round(sizes[enrolment.group] / CLASS_SIZE))
        class_number = placed[enrolment.group] % class_count
        if enrolment.group > YEAR_6:
            groups.append(f"{year}{'WRENFOLD'[class_number % 8]}{class_number // 8 or ''}")
        elif 0 < sizes[enrolment.group] <= SMALL_YEAR and enrolment.group > 0:
            lower_year = enrolment.group - (enrolment.group - 1) % 2
            groups.append(f"{lower_year}/{lower_year + 1}")
        else:
            groups.append(f"{year} {TREES[class_number]}" if enrolment.school.number % 2 else f"{year}{'ABCDEFGH'[class_number]}")
    return groups


def _gaps(schools: Sequence[School]) -> tuple[Gap, ...]:
    primaries = [school for school in schools if school.phase == "primary"]
    secondaries = [school for school in schools if school.phase == "secondary"]
    if len(primaries) < 4 or not secondaries:
        return ()
    return (
        Gap(primaries[2].urn, SILENT_WEEKS, "has sent nothing for three weeks"),
        Gap(secondaries[-1].urn, LATE_WEEKS, "is a week behind"),
    )
