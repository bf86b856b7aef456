"""Pupils: numbers that cannot be real, and the circumstances that may call for support, drawn at national shares."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from portal.demonstration.plans import Characteristic, Pupil, Tie
from portal.demonstration.streams import stream
from portal.pupils.incoming import CHECK_LETTERS, check_letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.demonstration.families import Family, Member
    from portal.demonstration.rolls import Spot
    from portal.demonstration.streams import Floats

#: No authority has these numbers: UPNs issued here, and elsewhere before a pupil came.
ELSEWHERE = {"999": ("002", "004")}
ELSEWHERE_TO_OTHERS = ("003", "005")
#: Shares of pupils: FSM and SEN together, FSM only, SEN only; the rest have neither. DfE, 2022/23.
JOINT = {"primary": (0.067, 0.187, 0.098), "secondary": (0.057, 0.181, 0.098)}
PLAN_AMONG_SEN = 0.26
IN_NEED, PROTECTION, LOOKED_AFTER, YOUNG_CARER, PARENT_TO_BE = 0.03, 0.004, 0.007, 0.012, 0.004
SEN_NEEDS = ("SPLD", "MLD", "SEMH", "SLCN", "ASD", "HI", "VI", "PD", "OTH")
SEN_NEED_SHARES = (0.14, 0.16, 0.22, 0.24, 0.15, 0.02, 0.01, 0.03, 0.03)
SERIALS = 1000
CHANGED_UPN_EVERY = 900
TEMPORARY_UPN_EVERY = 4000
YEAR_6, YEAR_9 = 6, 9
#: Started school somewhere else; FSM in special schools; need that has since ended.
CAME, FSM_IN_SPECIAL, ENDED = 0.25, 0.45, 0.3


@dataclass(slots=True)
class Numbers:
    """Gives out UPNs: the issuing school's, by year, no number twice."""

    la_code: str
    given: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def upn(self, la: str, house: int, year: int, *, temporary: bool = False) -> str:
        """The next UPN of an establishment (9999 counting down) in a year, its check letter right."""
        used = self.given.get((la, house, year), 0)
        self.given[la, house, year] = used + 1
        house, serial = house + used // SERIALS, used % SERIALS
        last = CHECK_LETTERS[serial % len(CHECK_LETTERS)] if temporary else str(serial % 10)
        body = f"{la}{9999 - house:04d}{year % 100:02d}{serial // 10:02d}{last}"
        letter = check_letter("?" + body)
        return f"{letter}{body}"


def name_pupils(seed: int, families: Sequence[Family], spots: Sequence[Spot], la_code: str, today: date) -> tuple[Pupil, ...]:
    """Make every child in the families a pupil, in the order of their numbers. `spots` say where each goes to school."""
    first: dict[int, Spot] = {}
    for spot in spots:
        first.setdefault(spot.child, spot)
    draw = stream(seed, "circumstances")
    hardship = stream(seed, "hardship").standard_normal(1 + max(spot.school.house for spot in spots))
    numbers = Numbers(la_code)
    found: dict[int, Pupil] = {}
    for family in families:
        for member in family.members:
            # Those who would only have come after the plan's day are never heard of.
            if member.child in first:
                spot = first[member.child]
                chances = draw.random(14)
                found[member.child] = _pupil(
                    family, member, spot, chances=chances, numbers=numbers, hardship=hardship[spot.school.house], today=today
                )
    return tuple(found[child] for child in sorted(found))


def _pupil(family: Family, member: Member, spot: Spot, *, chances: Floats, numbers: Numbers, hardship: float, today: date) -> Pupil:
    started = min(member.born.year + 5, spot.year)
    came = bool(chances[0] < CAME) or spot.part_year
    others = ELSEWHERE.get(numbers.la_code, ELSEWHERE_TO_OTHERS)
    la = others[int(chances[1] * len(others))] if came else numbers.la_code
    upn = numbers.upn(la, spot.school.house, started, temporary=member.child % TEMPORARY_UPN_EVERY == TEMPORARY_UPN_EVERY // 2)
    former = numbers.upn(others[0], 900, started) if member.child % CHANGED_UPN_EVERY == CHANGED_UPN_EVERY // 2 else None
    ties = family.ties
    circumstances = _known_by(today, _circumstances(spot, member, chances, hardship))
    if any(one.kind == "looked_after" for one in circumstances):
        ties = tuple(Tie(tie.parent, "Foster carer", parental_responsibility=False, priority=tie.priority) for tie in ties)
    return Pupil(
        number=member.child,
        upn=upn,
        former_upn=former,
        surname=member.surname,
        forename=member.forename,
        middle_names=member.middle,
        date_of_birth=member.born,
        sex=member.sex,
        ethnicity=family.heritage.ethnicity,
        eal=bool(chances[2] < family.heritage.eal),
        address=family.address,
        postcode=family.postcode,
        household=family.number,
        ties=ties,
        characteristics=circumstances,
    )


def _known_by(today: date, circumstances: Sequence[Characteristic]) -> tuple[Characteristic, ...]:
    begun = [one for one in circumstances if one.first_day <= today]
    return tuple(replace(one, last_day=None) if one.last_day and one.last_day > today else one for one in begun)


def _circumstances(spot: Spot, member: Member, chances: Floats, hardship: float) -> list[Characteristic]:
    begins = date(spot.year, 9, 1)
    both, fsm_only, sen_only = JOINT["primary" if spot.group <= YEAR_6 else "secondary"]
    poorer = float(np.exp(0.45 * hardship - 0.1))
    both, fsm_only = both * poorer, fsm_only * poorer
    fsm = chances[3] < both + fsm_only
    sen = chances[3] < both or both + fsm_only <= chances[3] < both + fsm_only + sen_only
    plan = chances[4] < PLAN_AMONG_SEN
    if spot.school.phase in {"special", "alternative"}:
        fsm, sen, plan = chances[3] < FSM_IN_SPECIAL, True, spot.school.phase == "special" or bool(plan)
    found = [Characteristic("fsm", "Y", begins)] if fsm else []
    if sen:
        need = SEN_NEEDS[int(np.searchsorted(np.cumsum(SEN_NEED_SHARES)[:-1], chances[5]))]
        found += [Characteristic("sen_provision", "E" if plan else "K", begins), Characteristic("sen_need", need, begins)]
    more = 1.8 if fsm else 0.75
    if chances[6] < LOOKED_AFTER:
        found.append(Characteristic("looked_after", "Y", begins))
    elif chances[7] < PROTECTION * more:
        found.append(Characteristic("child_protection_plan", "Y", date(spot.year, 11, 1 + int(chances[8] * 28))))
    elif chances[9] < IN_NEED * more:
        ended = date(spot.year + 1, 3, 1 + int(chances[11] * 28)) if chances[10] < ENDED else None
        found.append(Characteristic("child_in_need", "Y", date(spot.year, 10, 1 + int(chances[8] * 28)), ended))
    if chances[12] < YOUNG_CARER:
        found.append(Characteristic("young_carer", "PS"[int(chances[12] * 1e6) % 2], begins))
    if member.sex == "F" and spot.group >= YEAR_9 and chances[13] < PARENT_TO_BE:
        found.append(Characteristic("pregnant_or_parent", "Y", date(spot.year, 12, 1)))
    return found
