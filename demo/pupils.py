"""Pupils: UPNs that cannot be real, and circumstances that may call for support, at national shares."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from demo.plans import Characteristic, Contact, Pupil
from demo.seeded_random import stream
from portal.pupils.domain.incoming import check_letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.families import Family, Member
    from demo.rolls import Enrolment
    from demo.seeded_random import Floats

#: LA numbers that no authority has, for UPNs issued elsewhere before a pupil came: by our own LA, and for any other.
ELSEWHERE = {"999": ("002", "004")}
ELSEWHERE_TO_OTHERS = ("003", "005")
#: Shares of pupils with both FSM and SEN, FSM only, SEN only. DfE, 2022/23.
FSM_AND_SEN = {"primary": (0.067, 0.187, 0.098), "secondary": (0.057, 0.181, 0.098)}
EHC_PLAN_AMONG_SEN = 0.26
IN_NEED, PROTECTION, LOOKED_AFTER, YOUNG_CARER, PARENT_TO_BE = 0.03, 0.004, 0.007, 0.012, 0.004
SEN_NEEDS = ("SPLD", "MLD", "SEMH", "SLCN", "ASD", "HI", "VI", "PD", "OTH")
SEN_NEED_SHARES = (0.14, 0.16, 0.22, 0.24, 0.15, 0.02, 0.01, 0.03, 0.03)
SERIALS = 1000
#: A temporary UPN ends with a letter, which is never I, O or S.
TEMPORARY_ENDINGS = "ABCDEFGHJKLMNPQRTUVWXYZ"
CHANGED_UPN_EVERY = 900
TEMPORARY_UPN_EVERY = 4000
YEAR_6, YEAR_9 = 6, 9
#: Shares of pupils who started school elsewhere, of FSM in special schools, and of need that has since ended.
FROM_ELSEWHERE, FSM_IN_SPECIAL, ENDED = 0.25, 0.45, 0.3


@dataclass(slots=True)
class UpnIssuer:
    """Issues UPNs by issuing school and year, and no UPN twice."""

    la_code: str
    issued: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def upn(self, la: str, school_number: int, year: int, *, temporary: bool = False) -> str:
        """The next UPN of an establishment in a year, with a valid check letter.

        Establishment numbers count down from 9999.
        """
        used_count = self.issued.get((la, school_number, year), 0)
        self.issued[la, school_number, year] = used_count + 1
        school_number, serial = school_number + used_count // SERIALS, used_count % SERIALS
        last_character = TEMPORARY_ENDINGS[serial % len(TEMPORARY_ENDINGS)] if temporary else str(serial % 10)
        body = f"{la}{9999 - school_number:04d}{year % 100:02d}{serial // 10:02d}{last_character}"
        letter = check_letter("?" + body)
        return f"{letter}{body}"


def make_pupils(
    seed: int, families: Sequence[Family], enrolments: Sequence[Enrolment], la_code: str, today: date
) -> tuple[Pupil, ...]:
    """Make a pupil of every child in the families, in the order of their numbers.

    `enrolments` say where each goes to school.
    """
    first_enrolment: dict[int, Enrolment] = {}
    for enrolment in enrolments:
        first_enrolment.setdefault(enrolment.child, enrolment)
    rng = stream(seed, "circumstances")
    hardship = stream(seed, "hardship").standard_normal(1 + max(enrolment.school.number for enrolment in enrolments))
    issuer = UpnIssuer(la_code)
    pupils: dict[int, Pupil] = {}
    for family in families:
        for member in family.members:
            # A child who would only enrol after the plan's day is no pupil yet.
            if member.child in first_enrolment:
                enrolment = first_enrolment[member.child]
                # Every pupil takes the same count of numbers, so that one circumstance more moves no other pupil's.
                chances = rng.random(14)
                pupils[member.child] = _pupil(
                    family,
                    member,
                    enrolment,
                    chances=chances,
                    issuer=issuer,
                    hardship=hardship[enrolment.school.number],
                    today=today,
                )
    return tuple(pupils[child] for child in sorted(pupils))


def _pupil(
    family: Family, member: Member, enrolment: Enrolment, *, chances: Floats, issuer: UpnIssuer, hardship: float, today: date
) -> Pupil:
    started = min(member.born.year + 5, enrolment.year)
    came_from_elsewhere = bool(chances[0] < FROM_ELSEWHERE) or enrolment.part_year
    authorities = ELSEWHERE.get(issuer.la_code, ELSEWHERE_TO_OTHERS)
    issuing_la = authorities[int(chances[1] * len(authorities))] if came_from_elsewhere else issuer.la_code
    upn = issuer.upn(
        issuing_la, enrolment.school.number, started, temporary=member.child % TEMPORARY_UPN_EVERY == TEMPORARY_UPN_EVERY // 2
    )
    former_upn = issuer.upn(authorities[0], 900, started) if member.child % CHANGED_UPN_EVERY == CHANGED_UPN_EVERY // 2 else None
    contacts = family.contacts
    circumstances = _known_by(today, _circumstances(enrolment, member, chances, hardship))
    if any(characteristic.kind == "looked_after" for characteristic in circumstances):
        contacts = tuple(
            Contact(contact.parent, "Foster carer", parental_responsibility=False, priority=contact.priority)
            for contact in contacts
        )
    return Pupil(
        number=member.child,
        upn=upn,
        former_upn=former_upn,
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
        contacts=contacts,
        characteristics=circumstances,
    )


def _known_by(today: date, circumstances: Sequence[Characteristic]) -> tuple[Characteristic, ...]:
    begun = [characteristic for characteristic in circumstances if characteristic.first_day <= today]
    return tuple(
        replace(characteristic, last_day=None) if characteristic.last_day and characteristic.last_day > today else characteristic
        for characteristic in begun
    )


def _circumstances(enrolment: Enrolment, member: Member, chances: Floats, hardship: float) -> list[Characteristic]:
    year_start = date(enrolment.year, 9, 1)
    both_share, fsm_share, sen_share = FSM_AND_SEN["primary" if enrolment.group <= YEAR_6 else "secondary"]
    multiplier = float(np.exp(0.45 * hardship - 0.1))
    both_share, fsm_share = both_share * multiplier, fsm_share * multiplier
    has_fsm = chances[3] < both_share + fsm_share
    has_sen = chances[3] < both_share or both_share + fsm_share <= chances[3] < both_share + fsm_share + sen_share
    has_plan = chances[4] < EHC_PLAN_AMONG_SEN
    if enrolment.school.phase in {"special", "alternative"}:
        has_fsm, has_sen, has_plan = chances[3] < FSM_IN_SPECIAL, True, enrolment.school.phase == "special" or bool(has_plan)
    characteristics = [Characteristic("fsm", "Y", year_start)] if has_fsm else []
    if has_sen:
        need = SEN_NEEDS[int(np.searchsorted(np.cumsum(SEN_NEED_SHARES)[:-1], chances[5]))]
        characteristics += [
            Characteristic("sen_provision", "E" if has_plan else "K", year_start),
            Characteristic("sen_need", need, year_start),
        ]
    need_multiplier = 1.8 if has_fsm else 0.75
    if chances[6] < LOOKED_AFTER:
        characteristics.append(Characteristic("looked_after", "Y", year_start))
    elif chances[7] < PROTECTION * need_multiplier:
        characteristics.append(Characteristic("child_protection_plan", "Y", date(enrolment.year, 11, 1 + int(chances[8] * 28))))
    elif chances[9] < IN_NEED * need_multiplier:
        ended = date(enrolment.year + 1, 3, 1 + int(chances[11] * 28)) if chances[10] < ENDED else None
        characteristics.append(Characteristic("child_in_need", "Y", date(enrolment.year, 10, 1 + int(chances[8] * 28)), ended))
    if chances[12] < YOUNG_CARER:
        characteristics.append(Characteristic("young_carer", "PS"[int(chances[12] * 1e6) % 2], year_start))
    if member.sex == "F" and enrolment.group >= YEAR_9 and chances[13] < PARENT_TO_BE:
        characteristics.append(Characteristic("pregnant_or_parent", "Y", date(enrolment.year, 12, 1)))
    return characteristics
