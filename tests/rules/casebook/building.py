"""Building blocks for cases: calendars, marks, corrections and answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.rules.reference import Engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Json = dict[str, Any]
DOB = "2014-03-10"

#: An illustrative calendar of seventeen months, no real council's. INSET: 1 September 2025, 28 November 2025,
#: 5 January 2026, 1 September 2026. Bank holiday: 4 May 2026.
TERMS = (
    ("2025-09-02", "2025-10-24"),
    ("2025-11-03", "2025-12-19"),
    ("2026-01-06", "2026-02-13"),
    ("2026-02-23", "2026-03-27"),
    ("2026-04-13", "2026-05-22"),
    ("2026-06-01", "2026-07-21"),
    ("2026-09-02", "2026-10-23"),
    ("2026-11-02", "2026-12-18"),
)
CLOSED: tuple[str, ...] = ("2025-11-28", "2026-05-04")


@dataclass(frozen=True)
class Case:
    """A published case.

    `question` is the case as the contract has it. `answer` is the part of the answer that was reasoned by hand, None
    where none of it was. `title` and `why` say which mistake the case catches.
    """

    question: Json
    answer: Json | None = None
    title: str = ""
    why: str = ""


def calendar(terms: Iterable[tuple[str, str]] = TERMS, closed: Iterable[str | tuple[str, str]] = CLOSED) -> Json:
    """A calendar of the first form. A closure is a day, or (day, half)."""
    return {
        "terms": [{"first_day": first, "last_day": last} for first, last in terms],
        "closed": [
            {"date": closure} if isinstance(closure, str) else {"date": closure[0], "session": closure[1]} for closure in closed
        ],
    }


def session_calendar(sessions: Iterable[tuple[str, str]]) -> Json:
    """A calendar of the second form, from (day, half) pairs."""
    return {"sessions": [{"date": on, "session": half} for on, half in sessions]}


def whole_days(code: str, *days: str) -> list[Json]:
    """Marks of one code for the morning and afternoon of each day."""
    return [{"date": on, "session": half, "code": code} for on in days for half in ("AM", "PM")]


def half_days(code: str, session: str, *days: str) -> list[Json]:
    """Marks of one code for one half of each day."""
    return [{"date": on, "session": session, "code": code} for on in days]


def days_from(first: str, number: int) -> list[str]:
    """Consecutive days from a first day."""
    return [(date.fromisoformat(first) + timedelta(days=offset)).isoformat() for offset in range(number)]


def week_of_days(monday: str, number: int = 5) -> list[str]:
    """The first days of a week."""
    return days_from(monday, number)


def amended(code: str, session: str, on: str, amended_on: str) -> Json:
    """A correction to the register."""
    return {"date": on, "session": session, "code": code, "amended_on": amended_on}


def sessions(*texts: str) -> list[Json]:
    """Sessions written as "2025-09-15 AM"."""
    return [{"date": text[:10], "session": text[11:]} for text in texts]


def school(
    name: str, attendance: Iterable[Json], *, school_calendar: Json | None = None, amendments: list[Json] | None = None
) -> Json:
    """One school's part of a case."""
    part: Json = {"school": name, "calendar": school_calendar or calendar(), "attendance": list(attendance)}
    return part if amendments is None else {**part, "amendments": amendments}


def not_met(best: int) -> Json:
    """The whole answer when nothing was met."""
    return {
        "outcome": "not_met",
        "school": None,
        "met_on": None,
        "window": None,
        "counted_sessions": [],
        "best_count": best,
    }


def review(best: int) -> Json:
    """The whole answer when only two schools together reach ten."""
    return {**not_met(best), "outcome": "review"}


def met(on: str, first_week: str, last_week: str, best: int = 10, at: str = "School A") -> Json:
    """The answer when met, except the list of ten sessions."""
    return {
        "outcome": "met",
        "school": at,
        "met_on": {"date": on[:10], "session": on[11:]},
        "window": {"first_week": first_week, "last_week": last_week},
        "best_count": best,
    }


def threshold_case(
    name: str,
    schools: list[Json],
    answer: Json | None,
    title: str,
    why: str = "",
    *,
    dob: str = DOB,
    dealt_with: Sequence[Json] = (),
) -> Case:
    """A threshold case about one or more schools."""
    case = {
        "id": name,
        "check": "threshold",
        "pupil": {"date_of_birth": dob},
        "schools": schools,
        "already_dealt_with": list(dealt_with),
    }
    return Case(case, answer, title, why)


def one_school_case(
    name: str,
    attendance: Iterable[Json],
    answer: Json | None,
    title: str,
    why: str = "",
    **options: Any,
) -> Case:
    """A threshold case at School A. Options: `school_calendar`, `amendments`, `dob` and `dealt_with`."""
    school_options = {name: options.pop(name) for name in ("school_calendar", "amendments") if name in options}
    return threshold_case(name, [school("School A", attendance, **school_options)], answer, title, why, **options)


def school_weeks() -> dict[str, list[tuple[str, str]]]:
    """The illustrative calendar's school weeks by Monday, each with its sessions in order."""
    engine = Engine()
    weeks: dict[str, list[tuple[str, str]]] = {}
    for on, session in engine.sessions_of(calendar()):
        weeks.setdefault(engine.week_start(on).isoformat(), []).append((on.isoformat(), session))
    return weeks


WEEKS = school_weeks()
MONDAYS = tuple(WEEKS)


def in_week(week: int, number: int, code: str = "O", *, skip: int = 0) -> list[Json]:
    """Marks of one code for the first sessions of a school week. The calendar's first week is 0."""
    week_sessions = WEEKS[MONDAYS[week]][skip : skip + number]
    # A holiday week has fewer sessions: without this a case would quietly test another number than it says.
    assert len(week_sessions) == number, (week, number)
    return [{"date": on, "session": session, "code": code} for on, session in week_sessions]


def session_text(mark: Json) -> str:
    """A mark's session, as written in answers."""
    return f"{mark['date']} {mark['session']}"
