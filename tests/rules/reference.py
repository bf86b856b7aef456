"""A slow and literal reading of the conformance contract, sharing nothing with the portal's rules.

It walks days one by one and tries every run of ten school weeks, where the rules keep their place in a sorted list.
Each step is a method of its own, so that a wrong engine is this one with a single step done wrong.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.rules.almanac import ONE_DAY, bank_holidays, day

Json = dict[str, Any]
Session = tuple[date, str]
Mark = tuple[date, str, str]
Reached = tuple[Mark, Json, list[Mark], list[date]]
START = date(2024, 8, 19)


class Engine:
    """The contract, literally."""

    codes = frozenset("GNOU")
    needed = 10
    weeks = 10

    def check(self, document: Json) -> Json:
        """The whole document."""
        return {"results": [self.result(case) for case in document["cases"]]}

    def result(self, case: Json) -> Json:
        """One case."""
        return {"id": case["id"], "check": case["check"], **getattr(self, case["check"])(case)}

    # The threshold

    def sessions_of(self, calendar: Json) -> list[Session]:
        """Every session the school met, in order of time."""
        if "sessions" in calendar:
            return sorted({(day(each["date"]), each["session"]) for each in calendar["sessions"]})
        found = []
        for term in calendar["terms"]:
            on = day(term["first_day"])
            while on <= day(term["last_day"]):
                if on.isoweekday() <= 5:
                    found += [(on, half) for half in ("AM", "PM") if not self.is_closed(calendar, on, half)]
                on += ONE_DAY
        return sorted(set(found))

    def is_closed(self, calendar: Json, on: date, half: str) -> bool:
        """Whether a closure covers the session."""
        closed = [(day(each["date"]), each.get("session")) for each in calendar.get("closed", [])]
        return (on, None) in closed or (on, half) in closed

    def week(self, on: date) -> date:
        """The Monday of a day's week."""
        while on.isoweekday() != 1:
            on -= ONE_DAY
        return on

    def weeks_of(self, sessions: list[Session], school: Json) -> list[date]:
        """The school weeks, in order."""
        del school
        return sorted({self.week(on) for on, _ in sessions})

    def standing(self, school: Json) -> dict[Session, str]:
        """The code that stands for each session."""
        codes = {(day(each["date"]), each["session"]): each["code"] for each in school["attendance"]}
        latest: dict[Session, date] = {}
        for each in school.get("amendments") or []:
            session = (day(each["date"]), each["session"])
            made = day(each["amended_on"])
            if session not in latest or made >= latest[session]:
                latest[session] = made
                codes[session] = each["code"]
        return codes

    def counting(self, case: Json, school: Json) -> list[Mark]:
        """The sessions that count at one school, in order of time."""
        met = self.sessions_of(school["calendar"])
        dealt_with = [(day(each["date"]), each["session"]) for each in case["already_dealt_with"]]
        found = []
        for (on, half), code in self.standing(school).items():
            if code not in self.codes or not self.is_session(on, half, met):
                continue
            if self.is_of_age(day(case["pupil"]["date_of_birth"]), on) and not self.is_gone(on, half, dealt_with):
                found.append((on, half, code))
        return sorted(found)

    def is_session(self, on: date, half: str, met: list[Session]) -> bool:
        """Whether the school met."""
        return (on, half) in met

    def is_of_age(self, dob: date, on: date) -> bool:
        """Whether the pupil is of compulsory school age."""
        return self.first_day(dob) <= on <= self.last_day(dob)

    def is_gone(self, on: date, half: str, dealt_with: list[Session]) -> bool:
        """Whether the session is already dealt with."""
        return (on, half) in dealt_with

    def runs(self, weeks: list[date]) -> list[list[date]]:
        """Every run of ten consecutive school weeks; or all of them where there are fewer."""
        if len(weeks) <= self.weeks:
            return [weeks]
        return [weeks[first : first + self.weeks] for first in range(len(weeks) - self.weeks + 1)]

    def number_in(self, marks: list[Mark], run: list[date]) -> int:
        """How many marks fall in the weeks of a run."""
        return sum(self.week(on) in run for on, _, _ in marks)

    def reached(self, number: int) -> bool:
        """Whether so many sessions are enough."""
        return number >= self.needed

    def tenth(self, marks: list[Mark], weeks: list[date]) -> Mark | None:
        """The first mark at which ten fall in some run of ten weeks."""
        for place in range(len(marks)):
            so_far = marks[: place + 1]
            if any(self.reached(self.number_in(so_far, run)) for run in self.runs(weeks)):
                return marks[place]
        return None

    def window(self, weeks: list[date], mark: Mark) -> list[date]:
        """The ten school weeks that end with the mark's week."""
        up_to = [week for week in weeks if week <= self.week(mark[0])]
        return up_to[-self.weeks :]

    def best(self, marks: list[Mark], weeks: list[date], met: Mark | None) -> int:
        """The most marks in any run of ten weeks."""
        del met
        return max(self.number_in(marks, run) for run in self.runs(weeks)) if weeks else 0

    def together(self, case: Json) -> bool:
        """Whether the schools' sessions reach ten together."""
        marks = self.merged([self.counting(case, school) for school in case["schools"]])
        sessions = [each for school in case["schools"] for each in self.sessions_of(school["calendar"])]
        weeks = sorted({self.week(on) for on, _ in sessions})
        return self.tenth(marks, weeks) is not None

    def merged(self, each_school: list[list[Mark]]) -> list[Mark]:
        """All schools' marks, one for a session."""
        one: dict[Session, str] = {}
        for marks in each_school:
            for on, half, code in marks:
                one[on, half] = code
        return sorted((on, half, code) for (on, half), code in one.items())

    def earliest(self, found: list[Reached]) -> Reached:
        """The school that reached ten first."""
        return min(found, key=lambda each: each[0][:2])

    def threshold(self, case: Json) -> Json:
        """The threshold's answer."""
        found, best = [], 0
        for school in case["schools"]:
            marks = self.counting(case, school)
            weeks = self.weeks_of(self.sessions_of(school["calendar"]), school)
            met = self.tenth(marks, weeks)
            best = max(best, self.best(marks, weeks, met))
            if met is not None:
                found.append((met, school, marks, weeks))
        if not found:
            outcome = self.without_one_school(case)
            return self.answer(outcome, best)
        met, school, marks, weeks = self.earliest(found)
        window = self.window(weeks, met)
        counted = [each for each in marks if self.week(each[0]) in window and each[:2] <= met[:2]]
        return self.answer("met", best) | {
            "school": school["school"],
            "met_on": {"date": str(met[0]), "session": met[1]},
            "window": {"first_week": str(window[0]), "last_week": str(window[-1])},
            "counted_sessions": [{"date": str(on), "session": half, "code": code} for on, half, code in counted],
        }

    def without_one_school(self, case: Json) -> str:
        """The outcome when no school reaches ten alone."""
        return "review" if len(case["schools"]) > 1 and self.together(case) else "not_met"

    def answer(self, outcome: str, best: int) -> Json:
        """An answer with nothing met."""
        return {
            "outcome": outcome,
            "school": None,
            "met_on": None,
            "window": None,
            "counted_sessions": [],
            "best_count": best,
        }

    # Compulsory school age

    def birthday(self, dob: date, age: int) -> date:
        """A birthday; 1 March where there is no 29 February."""
        if (dob.month, dob.day) == (2, 29) and (dob.year + age) % 4 != 0:
            return date(dob.year + age, 3, 1)
        return date(dob.year + age, dob.month, dob.day)

    def first_day(self, dob: date) -> date:
        """Walk from the fifth birthday to a prescribed day."""
        on = self.birthday(dob, 5)
        while (on.month, on.day) not in ((8, 31), (12, 31), (3, 31)):
            on += ONE_DAY
        return on

    def last_day(self, dob: date) -> date:
        """Walk back from the end of June in the school year of the sixteenth birthday."""
        sixteenth = self.birthday(dob, 16)
        on = date(sixteenth.year + (sixteenth.month >= 9), 6, 30)
        while on.isoweekday() != 5:
            on -= ONE_DAY
        return on

    def compulsory_school_age(self, case: Json) -> Json:
        """The age's answer."""
        dob = day(case["date_of_birth"])
        return {
            "first_day": str(self.first_day(dob)),
            "last_day": str(self.last_day(dob)),
            "dates": [{"date": each, "of_compulsory_school_age": self.is_of_age(dob, day(each))} for each in case["dates"]],
        }

    # Notices

    def years_before(self, issued: date, proposed: date) -> str:
        """Where an earlier notice falls: "inside", "edge", "outside" or "later"."""
        if issued > proposed:
            return "later"
        month_and_day = (issued.month, issued.day)
        third_year = issued.year + 3
        if month_and_day == (2, 29) and third_year % 4:
            month_and_day = (2, 28)
        third = date(third_year, *month_and_day)
        return "edge" if third == proposed else "inside" if third > proposed else "outside"

    def concerns(self, notice: Json, parent: str, case: Json) -> bool:
        """Whether an earlier notice is this parent's, for this child."""
        return bool(notice["parent"] == parent and notice["child"] == case["child"])

    def is_of_the_kind(self, notice: Json) -> bool:
        """Whether it is of a kind that can count at all."""
        return bool(notice["power"] == "s444A" and notice["status"] != "withdrawn" and day(notice["issued_on"]) >= START)

    def weight(self, notice: Json, proposed: date) -> set[int]:
        """What a notice may add to the count: nothing, one, or either."""
        where = self.years_before(day(notice["issued_on"]), proposed)
        if where in ("outside", "later"):
            return {0}
        return {0, 1} if where == "edge" or notice["status"] == "prosecuted_acquitted" else {1}

    def kind(self, number: int) -> str:
        """The result for a count."""
        return ("first", "second", "not_available")[min(number, 2)]

    def amounts(self, result: str) -> tuple[int | None, int | None]:
        """What each result costs."""
        return {"first": (80, 160), "second": (160, 160)}.get(result, (None, None))

    def settle(self, counts: set[int]) -> str:
        """The result for every count there may be."""
        kinds = {self.kind(number) for number in counts}
        return kinds.pop() if len(kinds) == 1 else "check"

    def notice(self, case: Json) -> Json:
        """The notices' answer."""
        answers = []
        for parent in case["parents"]:
            counts = {0}
            for each in case["previous_notices"]:
                if self.concerns(each, parent, case) and self.is_of_the_kind(each):
                    weight = self.weight(each, day(case["proposed_issue_date"]))
                    counts = {number + more for number in counts for more in weight}
            result = self.settle(counts)
            early, late = self.amounts(result)
            answers.append({"parent": parent, "result": result, "amount_days_1_to_21": early, "amount_days_22_to_28": late})
        return {"notices": answers}

    # Payment

    def is_working_day(self, on: date) -> bool:
        """Whether the post counts the day."""
        return on.isoweekday() < 6 and on not in bank_holidays(on.year)

    def received(self, service: Json) -> date:
        """The day a notice was received."""
        if service["method"] == "by_hand":
            return day(service["delivered_on"])
        on, passed = day(service["posted_on"]), 0
        while passed < 2:
            on += ONE_DAY
            passed += self.is_working_day(on)
        return on

    def nth_day(self, received: date, number: int) -> date:
        """The so-manieth day of a notice, day 1 being the day received."""
        return received + (number - 1) * ONE_DAY

    def due(self, notice: str, received: date, on: date) -> int:
        """What discharges a notice on a day to day 28."""
        return 80 if notice == "first" and on <= self.nth_day(received, 21) else 160

    def known(self, case: Json) -> list[Json]:
        """The payments known on the day asked about."""
        return [each for each in case["payments"] if day(each["paid_on"]) <= day(case["as_at"])]

    def position(self, case: Json, received: date) -> tuple[str, int | None]:
        """Where the notice stands and what is due."""
        as_at, last, known = day(case["as_at"]), self.nth_day(received, 28), self.known(case)
        if not known:
            return ("payable", self.due(case["notice"], received, as_at)) if as_at <= last else ("prosecute_or_withdraw", None)
        paid_on = day(known[0]["paid_on"])
        enough = len(known) == 1 and paid_on <= last
        if enough and known[0]["amount"] >= self.due(case["notice"], received, paid_on):
            return "discharged", 0
        return "check", None

    def payment_timetable(self, case: Json) -> Json:
        """The timetable's answer."""
        received = self.received(case["service"])
        position, due = self.position(case, received)
        return {
            "received_on": str(received),
            "last_day_reduced_amount": str(self.nth_day(received, 21)) if case["notice"] == "first" else None,
            "last_day_full_amount": str(self.nth_day(received, 28)),
            "position": position,
            "amount_due": due,
        }

    # Time limit

    def last_day_to_lay(self, offence: date) -> date:
        """Six months on; step back from a day the month does not have."""
        month, year = offence.month + 6, offence.year
        if month > 12:
            month, year = month - 12, year + 1
        for of_month in range(offence.day, 0, -1):
            try:
                return date(year, month, of_month)
            except ValueError:
                continue
        raise AssertionError

    def in_time(self, laid: date, last: date) -> bool:
        """Whether laying is in time."""
        return laid <= last

    def time_limit(self, case: Json) -> Json:
        """The time limit's answer."""
        laid = day(case["information_laid_on"])
        offences = []
        for each in case["offence_dates"]:
            last = self.last_day_to_lay(day(each))
            offences.append({"offence_date": each, "last_day_to_lay": str(last), "in_time": self.in_time(laid, last)})
        return {"offences": offences, "all_in_time": all(each["in_time"] for each in offences)}
