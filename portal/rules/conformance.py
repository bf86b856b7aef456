"""The conformance contract: a document of cases in, a document of results out, for anyone who builds these rules.

Nothing here decides anything. Each check reads its case, asks the rules, and writes the answer in the contract's words,
always under the default policy and the national framework in force from 19 August 2024.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING

from portal.rules.calendar import Calendar
from portal.rules.conformance_reading import CaseProblemError, Field
from portal.rules.deadlines import Method, Payment, payment_timetable, received_on, time_limit
from portal.rules.framework import NATIONAL_2024, Amounts
from portal.rules.marks import Amendment, standing_marks
from portal.rules.notices import Power, PreviousNotice, Status, notices_for
from portal.rules.penalty_notices import SchoolRecord, threshold
from portal.rules.school_age import compulsory_school_age

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from portal.rules.calendar import Session
    from portal.rules.penalty_notices import Met

    Answer = dict[str, object]


class NoticeKind(StrEnum):
    """Which notice a payment timetable is for."""

    FIRST = "first"
    SECOND = "second"


#: The amounts of each kind of notice under the national framework.
AMOUNTS: Mapping[NoticeKind, Amounts] = {
    NoticeKind.FIRST: NATIONAL_2024.first,
    NoticeKind.SECOND: NATIONAL_2024.second or NATIONAL_2024.first,
}


def _calendar(field: Field) -> Calendar:
    if field.has("sessions"):
        return Calendar.from_sessions(each.session() for each in field.items("sessions"))
    terms = [(term.day("first_day"), term.day("last_day")) for term in field.items("terms")]
    whole_days = []
    half_days = []
    for each in field.optional_items("closed"):
        if each.has("session"):
            half_days.append(each.session())
        else:
            whole_days.append(each.day("date"))
    return Calendar.from_terms(terms, whole_days).without(half_days)


def _letters(field: Field) -> str:
    # A code the list does not know is not an absence; only its being missing altogether is a fault in the case.
    code = field.get("code").value
    return code if isinstance(code, str) else ""


def _attendance(school: Field) -> dict[Session, str]:
    marks: dict[Session, str] = {}
    for each in school.optional_items("attendance"):
        session, letters = each.session(), _letters(each)
        if marks.setdefault(session, letters) != letters:
            each.expects("one code for a session; this one has two")
    return marks


def _record(school: Field) -> SchoolRecord:
    amendments = [Amendment(each.session(), _letters(each), each.day("amended_on")) for each in school.optional_items("amendments")]
    marks = standing_marks(_attendance(school), amendments)
    return SchoolRecord(school.text("school"), _calendar(school.get("calendar")), marks)


def _session(session: Session) -> Answer:
    return {"date": session[0].isoformat(), "session": session[1]}


def _met(met: Met | None) -> Answer:
    if met is None:
        return {"met_on": None, "window": None, "counted_sessions": []}
    return {
        "met_on": _session(met.on),
        "window": {"first_week": met.first_week.isoformat(), "last_week": met.last_week.isoformat()},
        "counted_sessions": [{**_session(each.session), "code": each.letters} for each in met.counted],
    }


def _threshold(case: Field) -> Answer:
    answer = threshold(
        case.get("pupil").day("date_of_birth"),
        [_record(school) for school in case.items("schools")],
        [each.session() for each in case.optional_items("already_dealt_with")],
    )
    return {
        "outcome": answer.outcome.value,
        "school": answer.school,
        **_met(answer.met),
        "best_count": answer.best_count,
    }


def _previous(field: Field) -> PreviousNotice:
    return PreviousNotice(
        parent=field.text("parent"),
        child=field.text("child"),
        issued_on=field.day("issued_on"),
        status=field.choice("status", Status),
        power=field.choice("power", Power),
        issued_by=field.text("issued_by") if field.has("issued_by") else "",
    )


def _parent(field: Field) -> str:
    if not isinstance(field.value, str):
        field.expects("the parent as text")
    return field.value


def _notice(case: Field) -> Answer:
    answers = notices_for(
        [_parent(each) for each in case.items("parents")],
        case.text("child"),
        case.day("proposed_issue_date"),
        [_previous(each) for each in case.optional_items("previous_notices")],
    )
    return {
        "notices": [
            {
                "parent": answer.parent,
                "result": answer.result.value,
                "amount_days_1_to_21": answer.amounts.reduced if answer.amounts else None,
                "amount_days_22_to_28": answer.amounts.full if answer.amounts else None,
            }
            for answer in answers
        ]
    }


def _payment_timetable(case: Field) -> Answer:
    service = case.get("service")
    method = service.choice("method", Method)
    served = service.day("delivered_on" if method is Method.BY_HAND else "posted_on")
    answer = payment_timetable(
        received_on(method, served),
        AMOUNTS[case.choice("notice", NoticeKind)],
        [Payment(each.day("paid_on"), each.amount("amount")) for each in case.optional_items("payments")],
        case.day("as_at"),
    )
    return {
        "received_on": answer.received_on.isoformat(),
        "last_day_reduced_amount": answer.last_day_reduced.isoformat() if answer.last_day_reduced else None,
        "last_day_full_amount": answer.last_day_full.isoformat(),
        "position": answer.position.value,
        "amount_due": answer.amount_due,
    }


def _dates(case: Field, name: str) -> list[date]:
    return [each.as_date() for each in case.items(name)]


def _compulsory_school_age(case: Field) -> Answer:
    span = compulsory_school_age(case.day("date_of_birth"))
    return {
        "first_day": span.first_day.isoformat(),
        "last_day": span.last_day.isoformat(),
        "dates": [{"date": on.isoformat(), "of_compulsory_school_age": span.covers(on)} for on in _dates(case, "dates")],
    }


def _time_limit(case: Field) -> Answer:
    answer = time_limit(_dates(case, "offence_dates"), case.day("information_laid_on"))
    return {
        "offences": [
            {"offence_date": on.isoformat(), "last_day_to_lay": last.isoformat(), "in_time": in_time}
            for on, last, in_time in answer.offences
        ],
        "all_in_time": answer.all_in_time,
    }


CHECKS: Mapping[str, Callable[[Field], Answer]] = {
    "threshold": _threshold,
    "notice": _notice,
    "payment_timetable": _payment_timetable,
    "compulsory_school_age": _compulsory_school_age,
    "time_limit": _time_limit,
}


def _checked(case: object) -> Answer:
    if not isinstance(case, dict):
        return {"id": None, "check": None, "error": "Enter each case as an object."}
    names = {"id": case.get("id"), "check": case.get("check")}
    check = CHECKS.get(names["check"]) if isinstance(names["check"], str) else None
    if check is None:
        return {**names, "error": f"check: enter one of {', '.join(CHECKS)}."}
    try:
        return {**names, **check(Field(case, ""))}
    except CaseProblemError as problem:
        return {**names, "error": str(problem)}
    except (ValueError, OverflowError) as problem:
        return {**names, "error": f"The dates can't be worked out: {problem}"}


def check(document: object) -> Answer:
    """The results for a document of cases: `{"cases": [...]}` in, `{"results": [...]}` out, in the same order.

    A case that can't be read gives a result with its `id`, its `check` and an `error` that says what to enter; the
    other cases are answered all the same. A document without a list of cases gives no results and an `error`.
    """
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        return {"results": [], "error": "Enter a JSON object with a list called cases."}
    return {"results": [_checked(case) for case in cases]}


def check_text(text: bytes) -> Answer:
    """As `check`, for a document still to be read: JSON in UTF-8. Text that is not JSON gives an `error`."""
    try:
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {"results": [], "error": "Enter one JSON document in UTF-8."}
    return check(document)
