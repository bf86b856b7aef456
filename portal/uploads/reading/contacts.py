"""Contacts: what a transfer file's pupil says of itself and of its parents and carers, by meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.uploads.reading.census import text_of

if TYPE_CHECKING:
    from lxml import etree

#: Element of the pupil (or of its BasicDetails) → meaning.
_OWN = {
    "UPN": "upn",
    "FormerUPN": "former_upn",
    "Surname": "surname",
    "Forename": "forename",
    "MiddleNames": "middle_names",
    "PreferredSurname": "preferred_surname",
    "PreferredForename": "preferred_forename",
    "DOB": "date_of_birth",
    "Sex": "sex",
    "Gender": "sex",
    "NCyearActual": "year_group",
    "NCyear": "year_group",
    "RegGroup": "registration_group",
    "Class": "registration_group",
    "EnrolStatus": "enrolment_status",
    "EntryDate": "admission_date",
    "LeavingDate": "leaving_date",
    "Ethnicity": "ethnicity",
    "LookedAfter": "looked_after",
    "FSMeligible": "fsm",
    "YoungCarer": "young_carer",
}
_INSIDE = ("BasicDetails", "PupilIdentifiers", "PupilStatus", "SchoolHistory", "LookedAfterChild")
_ADDRESS = ("SAON", "PAON", "Street", "Locality", "AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "Town", "AdministrativeArea", "County")
_MOST_PARENTS = 4


def said_of(pupil: etree._Element) -> dict[str, str]:
    """The pupil's texts by meaning, as a table's row would give them."""
    said: dict[str, str] = {}
    holders = [pupil, *(one for one in pupil if _name(one) in _INSIDE)]
    for holder in holders:
        for one in holder:
            meaning = _OWN.get(_name(one))
            if meaning and (one.text or "").strip():
                said.setdefault(meaning, (one.text or "").strip())
    said |= _sen(pupil) | _meals(pupil)
    address = next((one for one in pupil if _name(one) in {"Address", "Addresses"}), None)
    if address is not None:
        said |= {"address": _address(address), "postcode": text_of(address, "PostCode") or text_of(address, "Postcode")}
    for number, contact in enumerate(list(pupil.iter("{*}Contact"))[:_MOST_PARENTS], 1):
        said |= {f"parent{number}_{name}": text for name, text in _contact(contact).items() if text}
    return said


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _sen(pupil: etree._Element) -> dict[str, str]:
    """The provision that began last."""
    steps = [(text_of(one, "StartDate"), text_of(one, "SENprovision")) for one in pupil.iter("{*}SEN")]
    current = max((step for step in steps if step[1]), default=None)
    return {"sen_provision": current[1]} if current else {}


def _meals(pupil: etree._Element) -> dict[str, str]:
    """Eligible when a period of free school meals has no end."""
    periods = [one for one in pupil.iter("{*}FSMinstance", "{*}FSMperiod") if text_of(one, "FSMstartDate")]
    return {"fsm": "Y" if any(not text_of(one, "FSMendDate") for one in periods) else "N"} if periods else {}


def _address(element: etree._Element) -> str:
    parts = [text_of(element, name) for name in _ADDRESS]
    return ", ".join(part for part in parts if part)


def _contact(contact: etree._Element) -> dict[str, str]:
    address = next(contact.iter("{*}Address"), None)
    return {
        "surname": text_of(contact, "Surname"),
        "forename": text_of(contact, "Forename"),
        "relationship": text_of(contact, "Relationship"),
        "parental_responsibility": text_of(contact, "Responsible"),
        "phone": text_of(contact, "PhoneNo"),
        "email": text_of(contact, "Email"),
        "address": _address(address) if address is not None else "",
        "postcode": (text_of(address, "PostCode") or text_of(address, "Postcode")) if address is not None else "",
    }
