"""Totals that others report: the school census as XML or CSV, and the DfE's weekly file.

They are never turned into marks: they say how much absence, not which sessions.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from portal.rules.codes import BY_LETTERS, Category
from portal.uploads.reading.entries import Entries
from portal.uploads.reading.headings import folded
from portal.uploads.reading.rows import is_upn, upn_text
from portal.uploads.reading.shapes import FileRefused, Reading
from portal.uploads.reading.texts import Dates, a_date, clean, code_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.uploads.reading.shapes import Limits
    from portal.uploads.reading.tables import Sheet

#: Each census collects the term before it: School Census business and technical specification, attendance.
COLLECTED = {"AUT": ("summer", -1), "SPR": ("autumn", -1), "SUM": ("spring", -1)}
TERMLY, HALF_TERM = "TermlyAttendance", "SummerHalfTerm2Attendance"
NOT_OURS = "This XML is neither a Common Transfer File nor a school census. Export one of these from your system and send it."
NO_TOTALS = "The census file has no attendance in it. Export it again with attendance included."
NOT_A_NUMBER = "“{}” is not a whole number of sessions. Put the number there, or leave the cell empty."
NO_PUPIL = "The row has neither a UPN nor a name. Add the UPN, so that the totals can be compared."
ABOVE = "More sessions of absence than possible sessions. The totals are kept: check the reasons in your system."
SESSIONS = ("possible", "authorised", "unauthorised", "absent", "attended")
#: The census's pupil tables: what each column counts, without the words that say which half of the year it is of.
COUNTS = {"sessionspossible": "possible", "sessionsauthorised": "authorised", "sessionsunauthorised": "unauthorised"}
SPANS = {"termly": "termly", "summerhalfterm2": "second half of summer", "": "termly"}
WEEKLY = {
    "possiblesessions": "possible",
    "absentsessions": "absent",
    "presentsessions": "present",
    "approvededucationalactivitysessions": "approved",
    "authorisedabsentsessions": "authorised",
    "unauthorisedabsentsessions": "unauthorised",
}
NAMES = {
    "upn": ("upn", "uniquepupilnumber"),
    "surname": ("surname", "pupilsurname", "legalsurname"),
    "forename": ("forename", "pupilforename", "legalforename"),
    "date_of_birth": ("dob", "dateofbirth"),
    "school_number": ("uniquereferencenumber", "urn", "laestab"),
    "local_id": ("pupilonrolltableid", "pupilnolongeronrolltableid", "nativeid"),
    "span": ("academicterm", "term"),
    "reason": ("attendancereason",),
    "sessions": ("sessions", "absencesessions"),
}
_NUMBER = re.compile(r"(\d{1,5})(?:\.0{1,6})?$")


def read_census_xml(root: Any, limits: Limits) -> Reading:
    """The termly totals of a school census. A row is the place of the pupil in the file, from 1.

    Raises:
        FileRefused: when the XML is no census, or has no attendance.
    """
    entries = Entries("census-xml")
    totals: list[Mapping[str, Any]] = []
    pupils = [found.getparent() for found in root.iter("PupilIdentifiers")]
    if not pupils:
        raise FileRefused("not-ours", NOT_OURS)
    if len(pupils) > limits.rows:
        message = f"The file has more than {limits.rows:,} pupils. Send it in parts."
        raise FileRefused("rows", message)
    span = _span(root)
    for row, pupil in enumerate(pupils, start=1):
        who = _identity(pupil.find("PupilIdentifiers"))
        for block in pupil.iter(TERMLY, HALF_TERM):
            counts, reasons = _block(block)
            named = span if block.tag == TERMLY else f"second half of {span}"
            _keep(entries, totals, who | {"span": named}, counts, reasons, row)
    if not totals and not entries.problems:
        raise FileRefused("empty", NO_TOTALS)
    return entries.reading(totals=tuple(totals))


def _span(root: Any) -> str:
    """The term a census collects, in words: the autumn census of 2026 collects "summer 2025/26"."""
    term, year = root.findtext(".//Collection/Term"), root.findtext(".//Collection/Year")
    collected = COLLECTED.get((term or "").strip().upper()[:3])
    if collected is None or not (year or "").strip().isdecimal():
        return "termly"
    first = int(year) + collected[1]
    return f"{collected[0]} {first}/{(first + 1) % 100:02d}"


def _identity(element: Any) -> dict[str, Any]:
    """Whom a census pupil is: PupilID is only taken for a UPN where it has a UPN's shape."""
    said = {child.tag: clean(child.text) for child in element if child.text}
    upn = next((text for name in ("UPN", "PupilID") if is_upn(text := upn_text(said.get(name, "")))), None)
    born = a_date(said.get("DOB", ""))
    names = {"surname": said.get("Surname"), "forename": said.get("Forename"), "local_id": said.get("PupilID")}
    return {"upn": upn, "date_of_birth": born, **names}


def _block(block: Any) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The totals a block gives and its reasons; SessionDetails may be missing, which means no absence."""
    counts = {"possible": block.findtext("SessionsPossible") or ""}
    counts |= {name: block.findtext(f"Sessions{name.title()}") or "" for name in ("authorised", "unauthorised")}
    details = block.iter("SessionDetail")
    return counts, [(one.findtext("AttendanceReason") or "", one.findtext("AbsenceSessions") or "") for one in details]


def is_census_csv(headers: Sequence[str]) -> bool:
    """Are these the columns of a census table: pupils with their totals, or sessions by reason?"""
    names = {folded(header) for header in headers}
    return "attendancereason" in names or any(name.endswith("sessionspossible") for name in names)


def read_census_csv(headers: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> Reading:
    """The totals of a census table: a pupil a row with totals, or a row a reason, which are summed for each pupil."""
    table = _Table(headers, rows)
    entries = Entries("census-csv")
    totals: list[Mapping[str, Any]] = []
    if "reason" in table.place:
        _by_reason(table, entries, totals)
    else:
        halves = [name.removesuffix("sessionspossible") for name in table.names if name.endswith("sessionspossible")]
        for row, values in rows:
            who = table.who(entries, row, values)
            for prefix in halves if who is not None else ():
                counts = {meaning: table.at(values, prefix + ending) for ending, meaning in COUNTS.items()}
                if any(counts.values()):
                    _keep(entries, totals, (who or {}) | {"span": SPANS.get(prefix, prefix or "termly")}, counts, [], row, values)
    return entries.reading(totals=tuple(totals))


def _by_reason(table: _Table, entries: Entries, totals: list[Mapping[str, Any]]) -> None:
    """Rows of one pupil each with a reason and its sessions: the reasons are summed, whatever totals stand beside them."""
    possible = next((name for name in table.names if name.endswith("sessionspossible")), "")
    gathered: dict[tuple[str, str], tuple[dict[str, Any], dict[str, str], list[tuple[str, str]], int]] = {}
    for row, values in table.rows:
        who = table.who(entries, row, values)
        sessions = table.text(values, "sessions")
        if who is None:
            continue
        if sessions and _NUMBER.match(sessions) is None:
            _unreadable(entries, row, sessions, values)
            continue
        key = (who["upn"] or "", who["local_id"] or f"{who['surname']} {who['forename']} {who['date_of_birth']}")
        counts = {"possible": table.at(values, possible)}
        found = gathered.setdefault(key, (who | {"span": who["span"] or "termly"}, counts, [], row))
        found[2].append((table.text(values, "reason"), sessions))
    for who, counts, reasons, row in gathered.values():
        _keep(entries, totals, who, counts, reasons, row)


def is_published(sheet: Sheet) -> bool:
    """Is this a table of the DfE's published statistics? Each has its time period and geographic level, in its first rows."""
    cells = {folded(cell) for cell in (*sheet.headings, *(word for title in sheet.titles for word in title.split()))}
    return {"timeperiod", "geographiclevel"} <= cells


def is_dfe_weekly(headers: Sequence[str]) -> bool:
    """Are these the columns of the DfE's weekly pupil file, which every authority can download?"""
    names = {folded(header) for header in headers}
    return "upn" in names and {"possiblesessions", "absentsessions"} <= names


def read_dfe_weekly(headers: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> Reading:
    """The year-to-date totals of the DfE's weekly file, a pupil and school a row; its span is the term it names."""
    table = _Table(headers, rows)
    entries = Entries("dfe-weekly")
    totals: list[Mapping[str, Any]] = []
    for row, values in rows:
        who = table.who(entries, row, values)
        if who is not None:
            counts = {meaning: table.at(values, name) for name, meaning in WEEKLY.items()}
            _keep(entries, totals, who | {"span": who["span"] or "year to date"}, counts, [], row, values)
    return entries.reading(totals=tuple(totals))


class _Table:
    """Cells of a table by their folded heading or by meaning."""

    def __init__(self, headers: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]) -> None:
        self.rows = rows
        self.names: dict[str, int] = {}
        for number, header in enumerate(headers):
            self.names.setdefault(folded(header), number)
        known = self.names
        self.place = {meaning: known[name] for meaning, names in NAMES.items() for name in reversed(names) if name in known}
        self._births = Dates(self.text(values, "date_of_birth") for _, values in rows)

    def at(self, values: Sequence[str], name: str) -> str:
        """The cell under a folded heading."""
        place = self.names.get(name)
        return clean(values[place]) if place is not None and place < len(values) else ""

    def text(self, values: Sequence[str], meaning: str) -> str:
        """The cell with a meaning."""
        place = self.place.get(meaning)
        return clean(values[place]) if place is not None and place < len(values) else ""

    def who(self, entries: Entries, row: int, values: Sequence[str]) -> dict[str, Any] | None:
        """Whom a row is about, or None after it was refused."""
        upn, born = upn_text(self.text(values, "upn")), self.text(values, "date_of_birth")
        if upn and not is_upn(upn):
            message = f"“{upn[:20]}” is not a UPN: it needs 13 characters. Check it with your system."
            entries.problem("odd-upn", message, row=row, column_name="UPN", value=upn[:20], raw=tuple(values))
            return None
        if not upn and not self.text(values, "surname") and not self.text(values, "local_id"):
            entries.problem("no-upn", NO_PUPIL, row=row, column_name="UPN", raw=tuple(values))
            return None
        day: date | None = self._births[born] if born else None
        named = {name: self.text(values, name) or None for name in ("surname", "forename", "school_number", "local_id", "span")}
        return {"upn": upn or None, "date_of_birth": day, **named}


def _keep(
    entries: Entries,
    totals: list[Mapping[str, Any]],
    who: Mapping[str, Any],
    counts: Mapping[str, str],
    reasons: Sequence[tuple[str, str]],
    row: int,
    values: Sequence[str] = (),
) -> None:
    """One pupil's totals as whole numbers, or a problem where one cannot be read. Reasons are believed before totals."""
    texts = [*counts.values(), *(sessions for _, sessions in reasons)]
    if (odd := next((text for text in texts if clean(text) and not _NUMBER.match(clean(text))), None)) is not None:
        _unreadable(entries, row, odd, values)
        return
    read = {name: _whole(text) for name, text in counts.items()}
    told: Counter[str] = Counter()
    for reason, sessions in reasons:
        told[code_text(reason)] += _whole(sessions) or 0
    by_class = Counter[Category | None]()
    for reason, times in told.items():
        by_class[BY_LETTERS[reason].category if reason in BY_LETTERS else None] += times
    summed = bool(told) or (read.get("authorised") is None and read.get("unauthorised") is None and "absent" not in read)
    authorised = by_class[Category.AUTHORISED] if summed else read.get("authorised")
    unauthorised = by_class[Category.UNAUTHORISED] if summed else read.get("unauthorised")
    absent = read.get("absent")
    if absent is None and (authorised is not None or unauthorised is not None):
        # A reason that is blank or not known is an absence all the same, of neither kind.
        absent = (authorised or 0) + (unauthorised or 0) + by_class[None]
    possible, attended = read.get("possible"), _attended(read, absent)
    if possible is not None and absent is not None and absent > possible:
        entries.problem("more-than-possible", ABOVE, row=row, value=f"{absent} of {possible}", count=0)
    named = {name: who.get(name) for name in ("upn", "surname", "forename", "date_of_birth", "span", "school_number", "local_id")}
    numbers = dict(zip(SESSIONS, (possible, authorised, unauthorised, absent, attended), strict=True))
    totals.append({**named, **numbers, "reasons": dict(told), "row": row})


def _attended(read: Mapping[str, int | None], absent: int | None) -> int | None:
    """Sessions attended: present and at approved activities where told, otherwise the possible ones less the absent ones."""
    if read.get("present") is not None:
        return (read["present"] or 0) + (read.get("approved") or 0)
    possible = read.get("possible")
    return max(0, possible - absent) if possible is not None and absent is not None else None


def _whole(text: str) -> int | None:
    match = _NUMBER.match(clean(text))
    return int(match[1]) if match else None


def _unreadable(entries: Entries, row: int, text: str, values: Sequence[str]) -> None:
    entries.problem("not-a-number", NOT_A_NUMBER.format(clean(text)[:20]), row=row, value=clean(text)[:40], raw=tuple(values))
