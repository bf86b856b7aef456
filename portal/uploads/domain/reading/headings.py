"""The meaning of column headings: the names schools' systems use, and the meaning proposed for each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portal.tabular.cells import folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SLOTS = tuple(f"{day}_{half}" for day in DAYS for half in ("am", "pm"))

#: Each meaning and its label in the column mapping form.
MEANINGS: Mapping[str, str] = {
    "upn": "UPN",
    "former_upn": "Former UPN",
    "surname": "Surname",
    "forename": "Forename",
    "full_name": "Name, as Surname, Forename",
    "middle_names": "Middle names",
    "date_of_birth": "Date of birth",
    "year_group": "Year group",
    "registration_group": "Registration group",
    "school_number": "School’s number (URN or LAESTAB)",
    "local_id": "The system’s own pupil number",
    "date": "Date",
    "session": "Session (AM or PM)",
    "code": "Attendance code",
    "code_am": "Morning’s attendance code",
    "code_pm": "Afternoon’s attendance code",
    "minutes_late": "Minutes late",
    "comment": "Comment",
    "week_commencing": "Week commencing",
    **{slot: f"{slot[:3].title()} {slot[4:].upper()}" for slot in SLOTS},
    "sex": "Sex",
    "enrolment_status": "Enrolment status",
    "admission_date": "Admission date",
    "leaving_date": "Leaving date",
    "sen_provision": "SEN provision",
    "sen_need": "SEN need",
    "fsm": "Free school meals",
    "looked_after": "Looked after",
    "child_in_need": "Child in need",
    "child_protection_plan": "Child protection plan",
    "young_carer": "Young carer",
    "pregnant_or_parent": "Pregnant or school-aged parent",
    "eal": "English as an additional language",
    "ethnicity": "Ethnicity",
    "address": "Address",
    "postcode": "Postcode",
    **{
        f"parent{number}_{part}": f"Parent or carer {number}: {words}"
        for number in (1, 2, 3)
        for part, words in (
            ("name", "name"),
            ("relationship", "relationship"),
            ("parental_responsibility", "parental responsibility"),
            ("phone", "phone"),
            ("email", "e-mail"),
            ("address", "address"),
            ("postcode", "postcode"),
            ("do_not_disclose", "do not disclose"),
        )
    },
}

_HALVES = (("am", "code_am"), ("morning", "code_am"), ("pm", "code_pm"), ("afternoon", "code_pm"))
_MARK_WORDS = (
    "mark",
    "code",
    "attendance",
    "attendancemark",
    "attendancecode",
    "session",
    "sessionmark",
    "register",
    "registration",
)

#: Headings (folded: lower case, letters and digits only) and the meaning of each.
SYNONYMS: Mapping[str, str] = {
    **{re.sub(r"[^a-z0-9]", "", meaning): meaning for meaning in MEANINGS},
    **dict.fromkeys(("uniquepupilnumber", "pupilupn", "upnnumber", "pupilid"), "upn"),
    **dict.fromkeys(("previousupn", "oldupn"), "former_upn"),
    **dict.fromkeys(("legalsurname", "lastname", "familyname", "pupilsurname", "preferredlastname", "preferredsurname"), "surname"),
    **dict.fromkeys(
        ("legalforename", "firstname", "givenname", "pupilforename", "preferredfirstname", "preferredforename", "legalfirstname"),
        "forename",
    ),
    **dict.fromkeys(("name", "pupilname", "studentname", "student", "pupil", "fullname"), "full_name"),
    **dict.fromkeys(("middlename",), "middle_names"),
    **dict.fromkeys(("dob", "birthdate", "dateofbirth"), "date_of_birth"),
    **dict.fromkeys(("ncyear", "ncyearactual", "year", "yeargroup", "nationalcurriculumyear", "yr"), "year_group"),
    **dict.fromkeys(
        ("reg", "reggroup", "tutorgroup", "tutorgroupname", "registration", "form", "class", "regform", "tutor"),
        "registration_group",
    ),
    **dict.fromkeys(
        ("urn", "laestab", "schoolurn", "dfenumber", "dfe", "estab", "schoolnumber", "uniquereferencenumber"), "school_number"
    ),
    **dict.fromkeys(("studentid", "personid", "admissionnumber", "admno", "misid"), "local_id"),
    **dict.fromkeys(("attendancedate", "calendarstartdate", "sessiondate", "markdate", "day"), "date"),
    **dict.fromkeys(("sessionname", "perioddisplayname", "ampm", "period", "half", "amorpm"), "session"),
    **dict.fromkeys(("mark", "attendancemark", "attendancecode", "registermark", "sessionmarkcode"), "code"),
    **dict(_HALVES),
    **{f"{half}{word}": meaning for half, meaning in _HALVES for word in _MARK_WORDS},
    **{f"{word}{half}": meaning for half, meaning in _HALVES for word in _MARK_WORDS},
    **dict.fromkeys(("minslate", "minuteslate", "late", "mins"), "minutes_late"),
    **dict.fromkeys(("comments", "attendancecomment", "note", "notes"), "comment"),
    **dict.fromkeys(("weekcommencing", "weekbeginning", "wc", "wb", "weekstart", "week", "weekstarting"), "week_commencing"),
    **{
        f"{name}{half}": f"{name[:3]}_{half}"
        for name in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        for half in ("am", "pm")
    },
    **{
        f"{day}{'s' if day == 'tue' else 'rs' if day == 'thu' else ''}{half}": f"{day}_{half}"
        for day in DAYS
        for half in ("am", "pm")
    },
    **dict.fromkeys(("gender", "gendercode"), "sex"),
    **dict.fromkeys(("enrolstatus", "enrolmentstatename"), "enrolment_status"),
    **dict.fromkeys(("entrydate", "admissiondate", "dateofentry", "startdate", "doa"), "admission_date"),
    **dict.fromkeys(("leavingdate", "dateofleaving", "enddate", "dol"), "leaving_date"),
    **dict.fromkeys(("senprovision", "sen", "senstatus", "provisionname", "sencode"), "sen_provision"),
    **dict.fromkeys(("senneed", "sentype", "primarysentype", "primarysenneedstype", "senneeds"), "sen_need"),
    **dict.fromkeys(("freeschoolmeals", "fsmeligible", "freeschoolmeal", "everfsm6flag"), "fsm"),
    **dict.fromkeys(("lookedafterchild", "cla", "incareflag", "incare", "lookedafter"), "looked_after"),
    **dict.fromkeys(("cin", "childinneed"), "child_in_need"),
    **dict.fromkeys(("cp", "cpp", "childprotection"), "child_protection_plan"),
    **dict.fromkeys(("youngcarer",), "young_carer"),
    **dict.fromkeys(("pregnant", "schoolagedparent", "pregnantorparent"), "pregnant_or_parent"),
    **dict.fromkeys(("englishadditionallanguage", "ealflag"), "eal"),
    **dict.fromkeys(("ethnicitycode", "ethnicgroup"), "ethnicity"),
    **dict.fromkeys(("addressline1", "homeaddress"), "address"),
    **dict.fromkeys(("postalcode", "homepostcode"), "postcode"),
    **{
        f"{alias}{number}{part}": f"parent{number}_{part}"
        for alias in ("contact", "carer", "parentcarer")
        for number in (1, 2, 3)
        for part in ("name", "relationship", "phone", "email", "address", "postcode")
    },
    **{f"parent{number}": f"parent{number}_name" for number in (1, 2, 3)},
    **{f"parent{number}pr": f"parent{number}_parental_responsibility" for number in (1, 2, 3)},
    **{f"parent{number}donotdisclose": f"parent{number}_do_not_disclose" for number in (1, 2, 3)},
}


#: Headings that are a meaning's own name, and those that give way to any other of the same meaning: a system's own pupil number
#: is headed "Pupil ID" too, and a legal name is the one to keep.
OWN_NAMES = frozenset(folded(meaning) for meaning in MEANINGS)
LOOSE_SYNONYMS = frozenset(
    ("pupilid", "day", "week", "preferredlastname", "preferredsurname", "preferredfirstname", "preferredforename")
)
#: Headings that also occur as cell values ("AM"), so they do not show that a row is a heading row.
ALSO_CELLS = frozenset(half for half, _ in _HALVES)


#: A date within a heading. Dates change from week to week while the layout stays the same, so they are ignored in comparisons.
_DATE = re.compile(
    r"\b(?:\d{4}-\d{1,2}-\d{1,2}|\d{4}-[a-z]{3}-\d{1,2}|\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?"
    r"|\d{1,2}[ -](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}(?:[ -]\d{2,4})?|\d{5})\b",
    re.IGNORECASE,
)
DATE_PLACEHOLDER = "#"


def _without_date(heading: str) -> str:
    """A heading normalised for comparison between files, with any date replaced by a placeholder."""
    return DATE_PLACEHOLDER.join(folded(part) for part in _DATE.split(heading))


def meanings_of(headings: Sequence[str], mapping: Mapping[str, str] | None = None) -> list[str | None]:
    """The meaning of each heading: the one a person mapped ("" is not used), otherwise the proposed one.

    Each meaning is used once: for the heading a person mapped to it, otherwise for the heading nearest to it, then the first.
    """
    pairs = (mapping or {}).items()
    # An exact heading wins over one that differs only in its date.
    lookup = {_without_date(heading): meaning for heading, meaning in pairs} | {
        folded(heading): meaning for heading, meaning in pairs
    }
    mapped = [lookup.get(folded(heading), lookup.get(_without_date(heading))) for heading in headings]
    mapped_meanings = set(mapped)
    meanings: list[str | None] = []
    for heading, by_person in zip(headings, mapped, strict=True):
        proposed = SYNONYMS.get(folded(heading))
        meanings.append(by_person if by_person is not None else None if proposed in mapped_meanings else proposed)
    column_of: dict[str, int] = {}
    for column in sorted(range(len(headings)), key=lambda column: (mapped[column] is None, _distance(headings[column]))):
        if meaning := meanings[column]:
            column_of.setdefault(meaning, column)
    return [meaning if meaning and column_of[meaning] == column else None for column, meaning in enumerate(meanings)]


def _distance(heading: str) -> int:
    """How far a heading is from its meaning: nothing for its own name, most for a loose word."""
    name = folded(heading)
    return 2 if name in LOOSE_SYNONYMS else 1 if name not in OWN_NAMES else 0


def fingerprint(headings: Sequence[str]) -> str:
    """A hash of the headings in order, by which a school's column mapping is remembered.

    All headings with a date count as one, so next week's file, with other dates or fewer of them, has the same fingerprint.
    """
    undated = (DATE_PLACEHOLDER if DATE_PLACEHOLDER in (name := _without_date(heading)) else name for heading in headings)
    return hashlib.sha256("|".join(dict.fromkeys(undated)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class ColumnMappings:
    """The column mappings (heading to meaning) a file may be read with.

    `set_for_file` is the one a person set for this file; without it, the one `remembered` for the fingerprint of its headings.
    """

    set_for_file: Mapping[str, str] = field(default_factory=dict)
    remembered: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, headings: Sequence[str]) -> Mapping[str, str]:
        """The mapping for a file with these headings; empty where nobody has set one."""
        return self.set_for_file or (self.remembered.get(fingerprint(headings), {}) if self.remembered else {})


NO_MAPPINGS = ColumnMappings()
