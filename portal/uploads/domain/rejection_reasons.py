"""The reasons for which a mark is rejected, and the sentence of each."""

from __future__ import annotations

from portal.rules.codes import REPLACED_BY

#: Each reason for rejection, and the sentence that says what to do. A mark with several reasons is given the first of them.
REASONS: dict[str, str] = {
    "wrong-school": "The row names school {value}. This upload is for another school: send it from the right school.",
    "no-term-dates": (
        "There are no term dates for {value}, so none of its marks can be applied. Open Schools, this school, then Term dates and"
        " add them, or ask your authority to. Then send the file again."
    ),
    "unknown-pupil": "This pupil is not on the school's roll. Check the UPN, or send the pupil list first.",
    "contradicts-roll": "The UPN belongs to a pupil with another date of birth. Check the row against the pupil list.",
    "future-date": "{value} is in the future. Send marks for days that have happened.",
    "not-school-day": "The school was closed on {value}. Check the date, or the school's term dates.",
    "school-not-open": "The school opened after {value}, or had closed by then. Check the date, or the school's own days.",
    "either-way-round": (
        "Read as day/month, some of the file's dates are outside term. Read as month/day, none is. Write the dates as"
        " 2026-11-03, then send the file again."
    ),
    "not-on-roll": "The pupil was not on roll on {value}. Check the admission and leaving dates.",
    "unknown-code": "{value} is not an attendance code. Use a code from the list, or match it to a national code.",
    "code-not-valid": "{value} was not an attendance code on that date. {instead}",
    "impossible-code": "X is only for pupils who are not of compulsory school age. Use C2 for an agreed part-time timetable.",
    "on-roll": "Z is for a pupil who is not on roll yet, and this one was. Give the mark, or correct the admission date.",
    "contradiction": "The file gives two different marks for this pupil and session. Keep the right one.",
    "repeat": "The file gives this mark more than once. The first was kept.",
}
SLUGS = tuple(REASONS)
#: The number of each reason in an array of marks, where 0 is no reason.
NUMBER = {slug: index + 1 for index, slug in enumerate(SLUGS)}
#: What the {value} of each sentence is.
ABOUT_CODE = ("unknown-code", "code-not-valid", "impossible-code")
ABOUT_DAY = ("future-date", "not-school-day", "school-not-open", "not-on-roll")
ABOUT_YEAR = ("no-term-dates",)
ABOUT_PUPIL = ("unknown-pupil", "contradicts-roll", "wrong-school")
ABOUT_FILE = ("either-way-round",)
#: The {value} is a date and the marks given for it, which may stand in several columns.
ABOUT_MARKS = ("contradiction",)


def sentence_of(reason: str, value: str | None) -> str:
    """The sentence of a reason. In place of a code that has ended it names the one to use now."""
    instead = f"Enter {REPLACED_BY[value]}." if value and value in REPLACED_BY else "Use the code that applied then."
    return REASONS[reason].format(value=value, instead=instead)
