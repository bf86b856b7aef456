"""A slow and literal reading of the conformance contract that shares no code with the portal's rules.

It walks days one by one and tries every ten consecutive school weeks, where the rules slide a window over a sorted
list. Each step is a method of its own, so that a wrong engine is this one with a single step done wrong.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.rules.calendars import ONE_DAY, bank_holidays, day

Json = dict[str, Any]
Session = tuple[date, str]
Mark = tuple[date, str, str]
#: The tenth mark, the school, all its marks that count, and its school weeks.
SchoolMet = tuple[Mark, Json, list[Mark], list[date]]
#: The first day of the national framework.
START = date(2024, 8, 19)


class Engine:
    """The contract's rules, one step a method."""

    codes = frozenset("GNOU")
    needed = 10
    weeks = 10

    def check(self, document: Json) -> Json:
        """The results for a document."""
        return {"results": [self.result(case) for case in document["cases"]]}

    def result(self, case: Json) -> Json:
        """The result for one case."""
        return {"id": case["id"], "check": case["check"], **getattr(self, case["check"])(case)}

    # The threshold

    def sessions_of(self, calendar: Json) -> list[Session]:
        """Every session the school met, in order of time."""
        if "sessions" in calendar:
            return sorted({(day(entry["date"]), entry["session"]) for entry in calendar["sessions"]})
        sessions = []
        for term in calendar["terms"]:
            on = day(term["first_day"])
            while on <= day(term["last_day"]):
                if on.isoweekday() <= 5:
                    sessions += [(on, half) for half in ("AM", "PM") if not self.is_closed(calendar, on, half)]
                on += ONE_DAY
        return sorted(set(sessions))

    def is_closed(self, calendar: Json, on: date, half: str) -> bool:
        """Whether a closure covers the session."""
        closed = [(day(closure["date"]), closure.get("session")) for closure in calendar.get("closed", [])]
        return (on, None) in closed or (on, half) in closed

    def week_start(self, on: date) -> date:
        """The Monday of a day's week."""
        while on.isoweekday() != 1:
            on -= ONE_DAY
        return on

    def school_weeks(self, sessions: list[Session], school: Json) -> list[date]:
        """The school weeks, in order."""
        del school  # for the wrong engines, which look at its marks too
        return sorted({self.week_start(on) for on, _ in sessions})

    def standing_codes(self, school: Json) -> dict[Session, str]:
        """The code that stands for each session."""
        codes = {(day(mark["date"]), mark["session"]): mark["code"] for mark in school["attendance"]}
        latest: dict[Session, date] = {}
        for amendment in school.get("amendments") or []:
            session = (day(amendment["date"]), amendment["session"])
            amended_on = day(amendment["amended_on"])
            if session not in latest or amended_on >= latest[session]:
                latest[session] = amended_on
                codes[session] = amendment["code"]
        return codes

    def counting_marks(self, case: Json, school: Json) -> list[Mark]:
        """The sessions that count at one school, in order of time."""
        sessions = self.sessions_of(school["calendar"])
        dealt_with = [(day(session["date"]), session["session"]) for session in case["already_dealt_with"]]
        marks = []
        for (on, half), code in self.standing_codes(school).items():
            if code not in self.codes or not self.is_session(on, half, sessions):
                continue
            if self.is_of_age(day(case["pupil"]["date_of_birth"]), on) and not self.is_dealt_with(on, half, dealt_with):
                marks.append((on, half, code))
        return sorted(marks)

    def is_session(self, on: date, half: str, sessions: list[Session]) -> bool:
        """Whether the school met."""
        return (on, half) in sessions

    def is_of_age(self, dob: date, on: date) -> bool:
        """Whether the pupil is of compulsory school age."""
        return self.first_day(dob) <= on <= self.last_day(dob)

    def is_dealt_with(self, on: date, half: str, dealt_with: list[Session]) -> bool:
        """Whether the session is already dealt with."""
        return (on, half) in dealt_with

    def windows(self, weeks: list[date]) -> list[list[date]]:
        """Every ten consecutive school weeks, or all of them where there are fewer."""
        if len(weeks) <= self.weeks:
            return [weeks]
        return [weeks[first : first + self.weeks] for first in range(len(weeks) - self.weeks + 1)]

    def count_in(self, marks: list[Mark], window: list[date]) -> int:
        """How many marks fall in a window."""
        return sum(self.week_start(on) in window for on, _, _ in marks)

    def is_enough(self, number: int) -> bool:
        """Whether this number of sessions meets the threshold."""
        return number >= self.needed

    def tenth(self, marks: list[Mark], weeks: list[date]) -> Mark | None:
        """The first mark at which ten fall in some window."""
        for index in range(len(marks)):
            so_far = marks[: index + 1]
            if any(self.is_enough(self.count_in(so_far, window)) for window in self.windows(weeks)):
                return marks[index]
        return None

    def window_ending(self, weeks: list[date], mark: Mark) -> list[date]:
        """The ten school weeks that end with the mark's week."""
        up_to = [week for week in weeks if week <= self.week_start(mark[0])]
        return up_to[-self.weeks :]

    def best_count(self, marks: list[Mark], weeks: list[date], met: Mark | None) -> int:
        """The most marks in any window."""
        del met  # for the wrong engine that stops there
        return max(self.count_in(marks, window) for window in self.windows(weeks)) if weeks else 0

    def is_met_together(self, case: Json) -> bool:
        """Whether the schools' sessions reach ten together."""
        marks = self.merged_marks([self.counting_marks(case, school) for school in case["schools"]])
        sessions = [session for school in case["schools"] for session in self.sessions_of(school["calendar"])]
        weeks = sorted({self.week_start(on) for on, _ in sessions})
        return self.tenth(marks, weeks) is not None

    def merged_marks(self, marks_by_school: list[list[Mark]]) -> list[Mark]:
        """All schools' marks, at most one for a session."""
        codes: dict[Session, str] = {}
        for marks in marks_by_school:
            for on, half, code in marks:
                codes[on, half] = code
        return sorted((on, half, code) for (on, half), code in codes.items())

    def first_to_meet(self, schools_met: list[SchoolMet]) -> SchoolMet:
        """The school that reached ten first."""
        return min(schools_met, key=lambda school_met: school_met[0][:2])

    def threshold(self, case: Json) -> Json:
        """The answer to a threshold case."""
        schools_met, best = [], 0
        for school in case["schools"]:
            marks = self.counting_marks(case, school)
            weeks = self.school_weeks(self.sessions_of(school["calendar"]), school)
            met = self.tenth(marks, weeks)
            best = max(best, self.best_count(marks, weeks, met))
            if met is not None:
                schools_met.append((met, school, marks, weeks))
        if not schools_met:
            outcome = self.outcome_without_one_school(case)
            return self.unmet_answer(outcome, best)
        met, school, marks, weeks = self.first_to_meet(schools_met)
        window = self.window_ending(weeks, met)
        counted = [mark for mark in marks if self.week_start(mark[0]) in window and mark[:2] <= met[:2]]
        return self.unmet_answer("met", best) | {
            "school": school["school"],
            "met_on": {"date": str(met[0]), "session": met[1]},
            "window": {"first_week": str(window[0]), "last_week": str(window[-1])},
            "counted_sessions": [{"date": str(on), "session": half, "code": code} for on, half, code in counted],
        }

    def outcome_without_one_school(self, case: Json) -> str:
        """The outcome when no school reaches ten alone."""
        return "review" if len(case["schools"]) > 1 and self.is_met_together(case) else "not_met"

    def unmet_answer(self, outcome: str, best: int) -> Json:
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
        """The prescribed day on or after the fifth birthday, found by walking forward."""
        on = self.birthday(dob, 5)
        while (on.month, on.day) not in ((8, 31), (12, 31), (3, 31)):
            on += ONE_DAY
        return on

    def last_day(self, dob: date) -> date:
        """The last Friday in June of the school year of the sixteenth birthday, found by walking back."""
        sixteenth = self.birthday(dob, 16)
        on = date(sixteenth.year + (sixteenth.month >= 9), 6, 30)
        while on.isoweekday() != 5:
            on -= ONE_DAY
        return on

    def compulsory_school_age(self, case: Json) -> Json:
        """The answer to a case about compulsory school age."""
        dob = day(case["date_of_birth"])
        return {
            "first_day": str(self.first_day(dob)),
            "last_day": str(self.last_day(dob)),
            "dates": [{"date": on, "of_compulsory_school_age": self.is_of_age(dob, day(on))} for on in case["dates"]],
        }

    # Notices

    def three_year_position(self, issued: date, proposed: date) -> str:
        """Where an earlier notice falls in the three years: "inside", "edge", "outside" or "later"."""
        if issued > proposed:
            return "later"
        month_and_day = (issued.month, issued.day)
        third_year = issued.year + 3
        if month_and_day == (2, 29) and third_year % 4:
            month_and_day = (2, 28)
        anniversary = date(third_year, *month_and_day)
        return "edge" if anniversary == proposed else "inside" if anniversary > proposed else "outside"

    def is_about(self, notice: Json, parent: str, case: Json) -> bool:
        """Whether an earlier notice is this parent's, for this child."""
        return bool(notice["parent"] == parent and notice["child"] == case["child"])

    def can_count(self, notice: Json) -> bool:
        """Whether its power, status and date let it count at all."""
        return bool(notice["power"] == "s444A" and notice["status"] != "withdrawn" and day(notice["issued_on"]) >= START)

    def possible_counts(self, notice: Json, proposed: date) -> set[int]:
        """What a notice may add to the count: nothing, one, or either."""
        position = self.three_year_position(day(notice["issued_on"]), proposed)
        if position in ("outside", "later"):
            return {0}
        return {0, 1} if position == "edge" or notice["status"] == "prosecuted_acquitted" else {1}

    def result_for_count(self, number: int) -> str:
        """The result for a count."""
        return ("first", "second", "not_available")[min(number, 2)]

    def amounts(self, result: str) -> tuple[int | None, int | None]:
        """The amounts for a result."""
        return {"first": (80, 160), "second": (160, 160)}.get(result, (None, None))

    def result_for_counts(self, counts: set[int]) -> str:
        """The result for several possible counts: `check` when they differ."""
        results = {self.result_for_count(number) for number in counts}
        return results.pop() if len(results) == 1 else "check"

    def notice(self, case: Json) -> Json:
        """The answer to a notice case."""
        answers = []
        for parent in case["parents"]:
            counts = {0}
            for notice in case["previous_notices"]:
                if self.is_about(notice, parent, case) and self.can_count(notice):
                    added = self.possible_counts(notice, day(case["proposed_issue_date"]))
                    counts = {count + number for count in counts for number in added}
            result = self.result_for_counts(counts)
            reduced, full = self.amounts(result)
            answers.append({"parent": parent, "result": result, "amount_days_1_to_21": reduced, "amount_days_22_to_28": full})
        return {"notices": answers}

    # Payment

    def is_working_day(self, on: date) -> bool:
        """Whether the day is a working day."""
        return on.isoweekday() < 6 and on not in bank_holidays(on.year)

    def received_on(self, service: Json) -> date:
        """The day a notice was received."""
        if service["method"] == "by_hand":
            return day(service["delivered_on"])
        on, working_days = day(service["posted_on"]), 0
        while working_days < 2:
            on += ONE_DAY
            working_days += self.is_working_day(on)
        return on

    def nth_day(self, received: date, number: int) -> date:
        """The nth day of a notice. Day 1 is the day received."""
        return received + (number - 1) * ONE_DAY

    def amount_due(self, notice: str, received: date, on: date) -> int:
        """The amount that discharges a notice on a day up to day 28."""
        return 80 if notice == "first" and on <= self.nth_day(received, 21) else 160

    def known_payments(self, case: Json) -> list[Json]:
        """The payments known on the day asked about."""
        return [payment for payment in case["payments"] if day(payment["paid_on"]) <= day(case["as_at"])]

    def position_and_amount(self, case: Json, received: date) -> tuple[str, int | None]:
        """The position of the notice and the amount due."""
        as_at, last_day, payments = day(case["as_at"]), self.nth_day(received, 28), self.known_payments(case)
        if not payments:
            if as_at > last_day:
                return "prosecute_or_withdraw", None
            return "payable", self.amount_due(case["notice"], received, as_at)
        paid_on = day(payments[0]["paid_on"])
        one_in_time = len(payments) == 1 and paid_on <= last_day
        if one_in_time and payments[0]["amount"] >= self.amount_due(case["notice"], received, paid_on):
            return "discharged", 0
        return "check", None

    def payment_timetable(self, case: Json) -> Json:
        """The answer to a payment case."""
        received = self.received_on(case["service"])
        position, due = self.position_and_amount(case, received)
        return {
            "received_on": str(received),
            "last_day_reduced_amount": str(self.nth_day(received, 21)) if case["notice"] == "first" else None,
            "last_day_full_amount": str(self.nth_day(received, 28)),
            "position": position,
            "amount_due": due,
        }

    # Time limit

    def last_day_to_lay(self, offence: date) -> date:
        """The same day six months later, stepping back from a day the month does not have."""
        month, year = offence.month + 6, offence.year
        if month > 12:
            month, year = month - 12, year + 1
        for of_month in range(offence.day, 0, -1):
            try:
                return date(year, month, of_month)
            except ValueError:
                continue
        raise AssertionError

    def is_in_time(self, laid: date, last_day: date) -> bool:
        """Whether laying is in time."""
        return laid <= last_day

    def time_limit(self, case: Json) -> Json:
        """The answer to a time limit case."""
        laid = day(case["information_laid_on"])
        offences = []
        for on in case["offence_dates"]:
            last_day = self.last_day_to_lay(day(on))
            offences.append({"offence_date": on, "last_day_to_lay": str(last_day), "in_time": self.is_in_time(laid, last_day)})
        return {"offences": offences, "all_in_time": all(offence["in_time"] for offence in offences)}
