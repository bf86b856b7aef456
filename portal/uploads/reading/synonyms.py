"""Header words: every meaning a column may have, in words for a screen, and the headers it is known by."""

from __future__ import annotations

import re
import unicodedata

#: Meaning → what a person chooses on the page that asks what the columns mean.
MEANINGS: dict[str, str] = {
    "upn": "UPN",
    "date": "Date",
    "session": "Session (AM or PM)",
    "code": "Attendance code",
    "am_code": "Attendance code, morning",
    "pm_code": "Attendance code, afternoon",
    "week": "Week commencing",
    "minutes_late": "Minutes late",
    "comment": "Comment on the mark",
    "surname": "Surname",
    "forename": "Forename",
    "name": "Full name (surname first)",
    "middle_names": "Middle names",
    "preferred_surname": "Preferred surname",
    "preferred_forename": "Preferred forename",
    "date_of_birth": "Date of birth",
    "former_upn": "Former UPN",
    "sex": "Sex",
    "year_group": "Year group",
    "registration_group": "Registration group",
    "enrolment_status": "Enrolment status",
    "admission_date": "Date of admission",
    "leaving_date": "Date of leaving",
    "school_number": "School (URN or DfE number)",
    "local_id": "Pupil number in the school's system",
    "sen_provision": "SEN provision",
    "sen_need": "SEN need",
    "fsm": "Free school meals",
    "looked_after": "Looked after",
    "child_in_need": "Child in need",
    "child_protection_plan": "Child protection plan",
    "social_care": "Social care status (CIN, CPP or CLA)",
    "young_carer": "Young carer",
    "pregnant_or_parent": "Pregnant or a parent",
    "eal": "English as an additional language",
    "ethnicity": "Ethnicity",
    "address": "Address",
    "address_line_2": "Address, second line",
    "address_line_3": "Address, third line",
    "address_line_4": "Address, fourth line",
    "postcode": "Postcode",
}

_KNOWN_AS: dict[str, str] = {
    "upn": "upn|uniquepupilnumber|pupilupn|upnnumber|upncurrent|currentupn|upnno|studentupn|uniquepupilno|uniquepupilid",
    "date": "date|attendancedate|calendarstartdate|markdate|sessiondate|calendardate|registerdate|recorddate|day|dateofsession"
    "|attendanceday|dateofmark|eventdate|startdate",
    "session": "session|ampm|sessionname|perioddisplayname|period|sessiontype|sess|halfday|amorpm|ampmsession|registrationsession|regsession",
    "code": "code|mark|attendancemark|attendancecode|sessionmark|markcode|sessioncode|sessionmarkcode|attcode|registermark|attmark|registercode"
    "|attendancesymbol|displaymark|statutorycode|marks|marktype",
    "am_code": "am|amcode|ammark|morning|amattendance|amsession|morningmark|morningcode|markam|codeam|amattendancemark|ammarks",
    "pm_code": "pm|pmcode|pmmark|afternoon|pmattendance|pmsession|afternoonmark|afternooncode|markpm|codepm|pmattendancemark|pmmarks",
    "week": "weekcommencing|weekbeginning|wc|wb|weekstart|weekstartdate|week|weekstarting|wkcommencing|weekcommencingdate|wcdate|weekof|monday",
    "minutes_late": "minuteslate|minslate|minutes|latemins|lateminutes|minlate|mins|late|minuteslatearrival|latemin",
    "comment": "comment|comments|attendancecomment|note|notes|markcomment|reason|attendancenote|sessioncomment|absencecomment",
    "surname": "surname|legalsurname|lastname|familyname|pupilsurname|legallastname|studentsurname|studentlastname",
    "forename": "forename|legalforename|firstname|givenname|pupilforename|legalfirstname|forenames|studentforename|studentfirstname|first",
    "name": "name|pupilname|studentname|fullname|legalname|pupil|student|legalfullname|surnameforename|pupilfullname|learnername",
    "middle_names": "middlenames|middlename|legalmiddlenames|legalmiddlename|pupilmiddlenames",
    "preferred_surname": "preferredsurname|preferredlastname|chosensurname|knownassurname",
    "preferred_forename": "preferredforename|preferredfirstname|chosenname|knownas|preferredname|knownasforename",
    "date_of_birth": "dateofbirth|dob|birthdate|pupildob|pupildateofbirth|studentdob|bornon|birthday",
    "former_upn": "formerupn|previousupn|oldupn|upnformer|priorupn",
    "sex": "sex|gender|legalsex|gendercode|sexcode|sexatbirth",
    "year_group": "yeargroup|year|ncyear|ncyearactual|ncy|yeargrp|nationalcurriculumyear|yr|yearnc|curriculumyear|yg|currentncyear|nationalcurriculumyeargroup",
    "registration_group": "registrationgroup|reggroup|reg|tutorgroup|tutorgroupname|form|class|registrationform|formgroup|registration|tutor"
    "|reggrp|registrationclass|baseclass|classname|basegroup",
    "enrolment_status": "enrolmentstatus|enrolstatus|enrolmentstatename|status|enrolment",
    "admission_date": "admissiondate|dateofadmission|entrydate|startdateatschool|datejoined|dateofentry|joindate|joiningdate|admitted|doa|onrollfrom",
    "leaving_date": "leavingdate|dateofleaving|dateleft|leavedate|enddate|leaver|dol|onrolluntil|removaldate",
    "school_number": "urn|laestab|dfenumber|schoolurn|schoolnumber|laestabnumber|dfeno|school|uniquereferencenumber|establishmentnumber|schooldfenumber|estab",
    "local_id": "studentid|personid|admissionnumber|admissionno|admno|pupilid|schoolid|misid|localid|externalid|admnumber|studentnumber|pupilnumber",
    "sen_provision": "senprovision|sen|senstatus|senprovisioncode|provisionname|senstage|sensupport|senprovisiontype|sencode",
    "sen_need": "senneed|senneeds|primarysenneed|sentype|primaryneed|primarysentype|primarysenneedstype|sentyperank1|senprimaryneed",
    "fsm": "fsm|freeschoolmeals|fsmeligible|eligibleforfsm|fsmeligibility|freeschoolmeal|eligibleforfreeschoolmeals|fsmstatus|eligibleforfreemeals",
    "looked_after": "lookedafter|cla|lac|incare|incareflag|childlookedafter|lookedafterchild|childreninourcare|cic|incarestatus|careexperienced|lookedafterstatus",
    "child_in_need": "childinneed|cin|cinplan|childinneedplan|childinneedstatus",
    "child_protection_plan": "childprotectionplan|cpp|cp|childprotection|cpplan|childprotectionstatus",
    "social_care": "socialcare|socialcarestatus|cincp|cincpstatus|cincppcla|socialcaretype|cpcin",
    "young_carer": "youngcarer|youngcarerindicator|youngcarerstatus|carer",
    "pregnant_or_parent": "pregnantorparent|pregnantorschoolagedparent|schoolagedparent|pregnant|youngparent|schoolageparent|pregnantparent|teenageparent",
    "eal": "eal|ealflag|englishasanadditionallanguage|englishadditionallanguage|additionallanguage|ealstatus",
    "ethnicity": "ethnicity|ethnicitycode|ethnicgroup|ethnicorigin|ethniccode",
    "address": "address|addressline1|address1|homeaddress|fulladdress|addressblock|houseandstreet|street|pupiladdress",
    "address_line_2": "addressline2|address2|locality|district",
    "address_line_3": "addressline3|address3|town|posttown|city|towncity",
    "address_line_4": "addressline4|address4|county",
    "postcode": "postcode|homepostcode|postalcode|pupilpostcode|addresspostcode",
}

_PARENT_PARTS: dict[str, tuple[str, str]] = {
    "name": ("name", "name|fullname|"),
    "surname": ("surname", "surname|lastname"),
    "forename": ("forename", "forename|firstname"),
    "relationship": ("relationship", "relationship|relation|relationshiptopupil|relationshiptochild|type"),
    "parental_responsibility": ("parental responsibility", "parentalresponsibility|pr|hasparentalresponsibility"),
    "phone": ("telephone", "phone|telephone|mobile|phonenumber|telephonenumber|mobilenumber|tel|mobilephone|contactnumber"),
    "email": ("e-mail", "email|emailaddress"),
    "address": ("address", "address|homeaddress|addressline1|fulladdress"),
    "postcode": ("postcode", "postcode"),
    "do_not_disclose": ("do not disclose", "donotdisclose|nondisclosure|confidential|withholdaddress|nodisclosure|addressconfidential"),
}
PARENTS = (1, 2, 3, 4)
_PARENT_WORDS = ("parent", "contact", "carer", "parentcarer", "parentorcarer", "guardian")

#: Folded header → meaning.
SYNONYMS: dict[str, str] = {word: meaning for meaning, words in _KNOWN_AS.items() for word in words.split("|")}
for _number in PARENTS:
    for _part, (_words, _suffixes) in _PARENT_PARTS.items():
        MEANINGS[f"parent{_number}_{_part}"] = f"Parent or carer {_number}: {_words}"
        for _word in _PARENT_WORDS:
            for _suffix in _suffixes.split("|"):
                SYNONYMS[f"{_word}{_number}{_suffix}"] = f"parent{_number}_{_part}"

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_SESSION = re.compile(
    r"(mon|tues?|wed|thur?s?|fri|sat|sun)(?:day|nesday|sday|rsday|urday)?(am|pm|morning|afternoon)?(?:mark|code|session)?"
)
_SESSION_WEEKDAY = re.compile(r"(am|pm)(mon|tues?|wed|thur?s?|fri|sat|sun)(?:day|nesday|sday|rsday|urday)?")
_LONGEST = 120


def fold_header(text: str) -> str:
    """A header as it is compared: compatibility forms, lower case, letters and digits only."""
    wide = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold()
    return "".join(sign for sign in wide if sign.isalnum())


def weekday_session(header: str) -> tuple[int, int | None] | None:
    """A weekly grid's header as weekday (Monday 0) and session (0 morning, 1 afternoon, None both): "MonAM", "Fri PM", "Tuesday"."""
    folded = fold_header(header)
    turned = _SESSION_WEEKDAY.fullmatch(folded)
    if turned:
        return WEEKDAYS.index(turned[2][:3]), 0 if turned[1] == "am" else 1
    found = _WEEKDAY_SESSION.fullmatch(folded)
    if not found:
        return None
    session = {"am": 0, "morning": 0, "pm": 1, "afternoon": 1}.get(found[2] or "")
    return WEEKDAYS.index(found[1][:3]), session


def session_of(text: str) -> int | None:
    """0 for a morning's name, 1 for an afternoon's, None for anything else."""
    folded = fold_header(text)
    if folded in _MORNING:
        return 0
    return 1 if folded in _AFTERNOON else None


_MORNING = {"am", "morning", "amsession", "amreg", "amregistration", "morningsession", "sessionam", "regam", "morningregistration", "a"}
_AFTERNOON = {"pm", "afternoon", "pmsession", "pmreg", "pmregistration", "afternoonsession", "sessionpm", "regpm", "afternoonregistration", "p"}
