"""Words for writing cases: a calendar, a week of it, a run of marks, an answer."""

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
    """A case, what it traps, and the part of its answer that was reasoned by hand (None: none of it was)."""

    asked: Json
    answer: Json | None = None
    title: str = ""
    why: str = ""


def calendar(terms: Iterable[tuple[str, str]] = TERMS, closed: Iterable[str | tuple[str, str]] = CLOSED) -> Json:
    """A calendar of the first form. A closure is a day, or (day, half)."""
    return {
        "terms": [{"first_day": first, "last_day": last} for first, last in terms],
        "closed": [{"date": each} if isinstance(each, str) else {"date": each[0], "session": each[1]} for each in closed],
    }


def met_for(sessions: Iterable[tuple[str, str]]) -> Json:
    """A calendar of the second form, from (day, half) pairs."""
    return {"sessions": [{"date": on, "session": half} for on, half in sessions]}


def both(code: str, *days: str) -> list[Json]:
    """Morning and afternoon of each day, marked with a code."""
    return [{"date": on, "session": half, "code": code} for on in days for half in ("AM", "PM")]


def half(code: str, session: str, *days: str) -> list[Json]:
    """One half of each day, marked with a code."""
    return [{"date": on, "session": session, "code": code} for on in days]


def days_from(first: str, number: int) -> list[str]:
    """So many days one after another."""
    return [(date.fromisoformat(first) + timedelta(days=ahead)).isoformat() for ahead in range(number)]


def week_of_days(monday: str, number: int = 5) -> list[str]:
    """The first days of a week."""
    return days_from(monday, number)


def amended(code: str, session: str, on: str, made: str) -> Json:
    """A correction to the register."""
    return {"date": on, "session": session, "code": code, "amended_on": made}


def sessions(*named: str) -> list[Json]:
    """Sessions written as "2025-09-15 AM"."""
    return [{"date": each[:10], "session": each[11:]} for each in named]


def school(name: str, attendance: Iterable[Json], *, when: Json | None = None, amendments: list[Json] | None = None) -> Json:
    """One school's part of a case."""
    made: Json = {"school": name, "calendar": when or calendar(), "attendance": list(attendance)}
    return made if amendments is None else {**made, "amendments": amendments}


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
    """The answer when met, all but the list of ten."""
    return {
        "outcome": "met",
        "school": at,
        "met_on": {"date": on[:10], "session": on[11:]},
        "window": {"first_week": first_week, "last_week": last_week},
        "best_count": best,
    }


def asked(
    name: str,
    schools: list[Json],
    answer: Json | None,
    title: str,
    why: str = "",
    *,
    dob: str = DOB,
    gone: Sequence[Json] = (),
) -> Case:
    """A threshold case about one or more schools."""
    case = {
        "id": name,
        "check": "threshold",
        "pupil": {"date_of_birth": dob},
        "schools": schools,
        "already_dealt_with": list(gone),
    }
    return Case(case, answer, title, why)


def one_school(
    name: str,
    attendance: Iterable[Json],
    answer: Json | None,
    title: str,
    why: str = "",
    **more: Any,
) -> Case:
    """A threshold case at School A. `when`, `amendments`, `dob` and `gone` may be given."""
    at_school = {key: more.pop(key) for key in ("when", "amendments") if key in more}
    return asked(name, [school("School A", attendance, **at_school)], answer, title, why, **more)


def school_weeks() -> dict[str, list[tuple[str, str]]]:
    """The illustrative calendar's school weeks by Monday, each with its sessions in order."""
    engine = Engine()
    weeks: dict[str, list[tuple[str, str]]] = {}
    for on, session in engine.sessions_of(calendar()):
        weeks.setdefault(engine.week(on).isoformat(), []).append((on.isoformat(), session))
    return weeks


WEEKS = school_weeks()
MONDAYS = tuple(WEEKS)


def in_week(place: int, number: int, code: str = "O", *, skip: int = 0) -> list[Json]:
    """The first sessions of a school week (by its place, from 0), marked with a code."""
    chosen = WEEKS[MONDAYS[place]][skip : skip + number]
    assert len(chosen) == number, (place, number)
    return [{"date": on, "session": session, "code": code} for on, session in chosen]


def named(mark: Json) -> str:
    """A mark's session, as written in answers."""
    return f"{mark['date']} {mark['session']}"
