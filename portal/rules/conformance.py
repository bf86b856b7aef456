"""The conformance contract: a document of cases in, a document of results out.

It lets anyone who builds these rules compare answers with the portal's. Nothing is decided here: each check
reads its case, asks the rules, and writes the answer with the contract's field names, always under the default policy
and the national framework in force from 19 August 2024.
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


#: The amounts of each kind of notice under the national framework. `second` is optional only in the type.
AMOUNTS: Mapping[NoticeKind, Amounts] = {
    NoticeKind.FIRST: NATIONAL_2024.first,
    NoticeKind.SECOND: NATIONAL_2024.second or NATIONAL_2024.first,
}


def _calendar(field: Field) -> Calendar:
    if field.has("sessions"):
        return Calendar.from_sessions(session.session() for session in field.items("sessions"))
    terms = [(term.day("first_day"), term.day("last_day")) for term in field.items("terms")]
    whole_days = []
    half_days = []
    for closure in field.optional_items("closed"):
        if closure.has("session"):
            half_days.append(closure.session())
        else:
            whole_days.append(closure.day("date"))
    return Calendar.from_terms(terms, whole_days).without(half_days)


def _code(field: Field) -> str:
    # Any value is accepted: an unknown code is simply not an absence. Only a missing field is a fault in the case.
    code = field.get("code").value
    return code if isinstance(code, str) else ""


def _attendance(school: Field) -> dict[Session, str]:
    marks: dict[Session, str] = {}
    for mark in school.optional_items("attendance"):
        session, code = mark.session(), _code(mark)
        # Choosing one of two codes silently would hide an error in the caller's data.
        if marks.setdefault(session, code) != code:
            mark.reject("one code for a session; this one has two")
    return marks


def _school_record(school: Field) -> SchoolRecord:
    amendments = [
        Amendment(amendment.session(), _code(amendment), amendment.day("amended_on"))
        for amendment in school.optional_items("amendments")
    ]
    marks = standing_marks(_attendance(school), amendments)
    return SchoolRecord(school.text("school"), _calendar(school.get("calendar")), marks)


def _session_json(session: Session) -> Answer:
    return {"date": session[0].isoformat(), "session": session[1]}


def _met_json(met: Met | None) -> Answer:
    if met is None:
        return {"met_on": None, "window": None, "counted_sessions": []}
    return {
        "met_on": _session_json(met.on),
        "window": {"first_week": met.first_week.isoformat(), "last_week": met.last_week.isoformat()},
        "counted_sessions": [{**_session_json(counted.session), "code": counted.code} for counted in met.counted],
    }


def _threshold(case: Field) -> Answer:
    answer = threshold(
        case.get("pupil").day("date_of_birth"),
        [_school_record(school) for school in case.items("schools")],
        [session.session() for session in case.optional_items("already_dealt_with")],
    )
    return {
        "outcome": answer.outcome.value,
        "school": answer.school,
        **_met_json(answer.met),
        "best_count": answer.best_count,
    }


def _previous_notice(field: Field) -> PreviousNotice:
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
        field.reject("the parent as text")
    return field.value


def _notice(case: Field) -> Answer:
    answers = notices_for(
        [_parent(parent) for parent in case.items("parents")],
        case.text("child"),
        case.day("proposed_issue_date"),
        [_previous_notice(notice) for notice in case.optional_items("previous_notices")],
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
    served_on = service.day("delivered_on" if method is Method.BY_HAND else "posted_on")
    answer = payment_timetable(
        received_on(method, served_on),
        AMOUNTS[case.choice("notice", NoticeKind)],
        [Payment(payment.day("paid_on"), payment.amount("amount")) for payment in case.optional_items("payments")],
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
    return [on.as_date() for on in case.items(name)]


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
            {"offence_date": on.isoformat(), "last_day_to_lay": last_day.isoformat(), "in_time": in_time}
            for on, last_day, in_time in answer.offences
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


def _result(case: object) -> Answer:
    if not isinstance(case, dict):
        return {"id": None, "check": None, "error": "Enter each case as an object."}
    identity = {"id": case.get("id"), "check": case.get("check")}
    check = CHECKS.get(identity["check"]) if isinstance(identity["check"], str) else None
    if check is None:
        return {**identity, "error": f"check: enter one of {', '.join(CHECKS)}."}
    try:
        return {**identity, **check(Field(case, ""))}
    except CaseProblemError as problem:
        return {**identity, "error": str(problem)}
    # Date arithmetic near year 9999 overflows. One such case must not cost the document its other answers.
    except (ValueError, OverflowError) as problem:
        return {**identity, "error": f"The dates can't be worked out: {problem}"}


def check(document: object) -> Answer:
    """The results for a document of cases: `{"cases": [...]}` in, `{"results": [...]}` out, in the same order.

    A case that can't be read gives a result with its `id`, its `check` and an `error` that says what to enter; the
    other cases are still answered. A document without a list of cases gives no results and an `error`.
    """
    cases = document.get("cases") if isinstance(document, dict) else None
    if not isinstance(cases, list):
        return {"results": [], "error": "Enter a JSON object with a list called cases."}
    return {"results": [_result(case) for case in cases]}


def check_text(text: bytes) -> Answer:
    """Parse a document of JSON in UTF-8 and `check` it. Text that is not JSON gives an `error`."""
    try:
        # utf-8-sig drops the byte order mark that Windows editors write. Deep nesting raises RecursionError.
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {"results": [], "error": "Enter one JSON document in UTF-8."}
    return check(document)
