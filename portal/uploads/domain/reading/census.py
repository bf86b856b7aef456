"""Reported totals: the school census as XML or CSV, and the DfE's weekly file.

Totals are never turned into marks, as they say how much absence there was but not in which sessions.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from portal.rules.codes import CODES_BY_SYMBOL, Category
from portal.tabular.cells import clean, clean_value, folded
from portal.tabular.named_columns import named_columns
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.builder import ReadingBuilder
from portal.uploads.domain.reading.parsing import Dates, code_text, parse_date
from portal.uploads.domain.reading.rows import is_upn, upn_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.tabular.limits import Limits
    from portal.tabular.sheets import Row
    from portal.uploads.domain.reading.result import Reading
    from portal.uploads.domain.reading.tables import Sheet

#: Each census collects the term before it (School Census business and technical specification): its name, and its first year
#: relative to the year of the census.
COLLECTED = {"AUT": ("summer", -1), "SPR": ("autumn", -1), "SUM": ("spring", -1)}
TERMLY, HALF_TERM = "TermlyAttendance", "SummerHalfTerm2Attendance"
NOT_OURS = "This XML is neither a Common Transfer File nor a school census. Export one of these from your system and send it."
NO_TOTALS = "The census file has no attendance in it. Export it again with attendance included."
NOT_A_NUMBER = "“{}” is not a whole number of sessions. Put the number there, or leave the cell empty."
NO_PUPIL = "The row has neither a UPN nor a name. Add the UPN, so that the totals can be compared."
ABOVE = "More sessions of absence than possible sessions. The totals are kept: check the reasons in your system."
SESSIONS = ("possible", "authorised", "unauthorised", "absent", "attended")
#: Columns of a census table, without the prefix that says which period they cover.
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
    """Read the termly totals of a school census. Rows are numbered by pupil, from 1.

    Raises:
        FileRejected: when the XML is not a census, or has no attendance.
    """
    builder = ReadingBuilder("census-xml")
    totals: list[Mapping[str, Any]] = []
    pupils = [identifiers.getparent() for identifiers in root.iter("PupilIdentifiers")]
    if not pupils:
        raise FileRejected("not-ours", NOT_OURS)
    if len(pupils) > limits.rows:
        message = f"The file has more than {limits.rows:,} pupils. Send it in parts."
        raise FileRejected("rows", message)
    span = _span(root)
    for row, pupil in enumerate(pupils, start=1):
        identity = _identity(pupil.find("PupilIdentifiers"))
        for block in pupil.iter(TERMLY, HALF_TERM):
            counts, reasons = _counts_and_reasons(block)
            block_span = span if block.tag == TERMLY else f"second half of {span}"
            _add_totals(builder, totals, identity | {"span": block_span}, counts, reasons, row)
    if not totals and not builder.problems:
        raise FileRejected("empty", NO_TOTALS)
    return builder.build(totals=tuple(totals))


def _span(root: Any) -> str:
    """The term a census collects, in words: the autumn census of 2026 collects "summer 2025/26"."""
    term, year = root.findtext(".//Collection/Term"), root.findtext(".//Collection/Year")
    collected = COLLECTED.get((term or "").strip().upper()[:3])
    if collected is None or not (year or "").strip().isdecimal():
        return "termly"
    name, offset = collected
    first = int(year) + offset
    return f"{name} {first}/{(first + 1) % 100:02d}"


def _identity(element: Any) -> dict[str, Any]:
    """The identity of a census pupil. PupilID is used as the UPN only if it has the form of one."""
    texts = {child.tag: clean(child.text) for child in element if child.text}
    upn = next((text for name in ("UPN", "PupilID") if is_upn(text := upn_text(texts.get(name, "")))), None)
    birth = parse_date(texts.get("DOB", ""))
    names = {"surname": texts.get("Surname"), "forename": texts.get("Forename"), "local_id": texts.get("PupilID")}
    return {"upn": upn, "date_of_birth": birth, **names}


def _counts_and_reasons(block: Any) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The totals of a block, and its absences by reason. A block without SessionDetails has no absence."""
    counts = {"possible": block.findtext("SessionsPossible") or ""}
    counts |= {name: block.findtext(f"Sessions{name.title()}") or "" for name in ("authorised", "unauthorised")}
    details = block.iter("SessionDetail")
    return counts, [(detail.findtext("AttendanceReason") or "", detail.findtext("AbsenceSessions") or "") for detail in details]


def is_census_csv(headers: Sequence[str]) -> bool:
    """Whether these are the headings of a census table, of totals or of sessions by reason."""
    names = {folded(header) for header in headers}
    return "attendancereason" in names or any(name.endswith("sessionspossible") for name in names)


def read_census_csv(headers: Sequence[str], rows: Sequence[Row]) -> Reading:
    """Read a census table, with one row for each pupil or one for each reason of absence."""
    table = _TotalsTable(headers, rows)
    builder = ReadingBuilder("census-csv")
    totals: list[Mapping[str, Any]] = []
    if "reason" in table.table.columns:
        _add_totals_by_reason(table, builder, totals)
    else:
        periods = [name.removesuffix("sessionspossible") for name in table.table.names if name.endswith("sessionspossible")]
        for row, values in rows:
            identity = table.identity(builder, row, values)
            if identity is None:
                continue
            for prefix in periods:
                counts = {meaning: table.table.cell_under(values, prefix + ending) for ending, meaning in COUNTS.items()}
                if any(counts.values()):
                    span = SPANS.get(prefix, prefix or "termly")
                    _add_totals(builder, totals, identity | {"span": span}, counts, [], row, values)
    return builder.build(totals=tuple(totals))


def _add_totals_by_reason(table: _TotalsTable, builder: ReadingBuilder, totals: list[Mapping[str, Any]]) -> None:
    """Sum rows of one reason each by pupil. Totals in the same rows are ignored, except possible sessions."""
    possible = next((name for name in table.table.names if name.endswith("sessionspossible")), "")
    by_pupil: dict[tuple[str, str], tuple[dict[str, Any], dict[str, str], list[tuple[str, str]], int]] = {}
    for row, values in table.table.rows:
        identity = table.identity(builder, row, values)
        sessions = table.text(values, "sessions")
        if identity is None:
            continue
        if sessions and _NUMBER.match(sessions) is None:
            _add_number_problem(builder, row, sessions, values)
            continue
        names = f"{identity['surname']} {identity['forename']} {identity['date_of_birth']}"
        key = (identity["upn"] or "", identity["local_id"] or names)
        counts = {"possible": table.table.cell_under(values, possible)}
        _, _, reasons, _ = by_pupil.setdefault(key, (identity | {"span": identity["span"] or "termly"}, counts, [], row))
        reasons.append((table.text(values, "reason"), sessions))
    for identity, counts, reasons, row in by_pupil.values():
        _add_totals(builder, totals, identity, counts, reasons, row)


def is_published(sheet: Sheet) -> bool:
    """Whether this is a table of the DfE's published statistics, which name time period and geographic level."""
    cells = {folded(cell) for cell in (*sheet.headings, *(word for title in sheet.titles for word in title.split()))}
    return {"timeperiod", "geographiclevel"} <= cells


def is_dfe_weekly(headers: Sequence[str]) -> bool:
    """Whether these are the headings of the weekly pupil file that an authority can download from the DfE."""
    names = {folded(header) for header in headers}
    return "upn" in names and {"possiblesessions", "absentsessions"} <= names


def read_dfe_weekly(headers: Sequence[str], rows: Sequence[Row]) -> Reading:
    """Read the DfE's weekly file: year-to-date totals, one row for each pupil and school.

    The span of the totals is the term that the file names.
    """
    table = _TotalsTable(headers, rows)
    builder = ReadingBuilder("dfe-weekly")
    totals: list[Mapping[str, Any]] = []
    for row, values in rows:
        identity = table.identity(builder, row, values)
        if identity is not None:
            counts = {meaning: table.table.cell_under(values, name) for name, meaning in WEEKLY.items()}
            _add_totals(builder, totals, identity | {"span": identity["span"] or "year to date"}, counts, [], row, values)
    return builder.build(totals=tuple(totals))


class _TotalsTable:
    """A table of totals, and the dates of birth in it."""

    def __init__(self, headers: Sequence[str], rows: Sequence[Row]) -> None:
        self.table = named_columns(headers, rows, NAMES)
        self._births = Dates(self.text(values, "date_of_birth") for _, values in rows)

    def text(self, values: Sequence[str], meaning: str) -> str:
        """The cell with a meaning. Its apostrophe stays only in a name."""
        text = self.table.cell(values, meaning)
        return text if meaning in {"surname", "forename"} else clean_value(text)

    def identity(self, builder: ReadingBuilder, row: int, values: Sequence[str]) -> dict[str, Any] | None:
        """The pupil of a row; None if they cannot be identified and the row is rejected."""
        upn, birth = upn_text(self.text(values, "upn")), self.text(values, "date_of_birth")
        if upn and not is_upn(upn):
            message = f"“{upn[:20]}” is not a UPN: it needs 13 characters. Check it with your system."
            builder.add_problem("odd-upn", message, row=row, column_name="UPN", value=upn[:20], raw=tuple(values))
            return None
        if not upn and not self.text(values, "surname") and not self.text(values, "local_id"):
            builder.add_problem("no-upn", NO_PUPIL, row=row, column_name="UPN", raw=tuple(values))
            return None
        date_of_birth: date | None = self._births[birth] if birth else None
        texts = {name: self.text(values, name) or None for name in ("surname", "forename", "school_number", "local_id", "span")}
        return {"upn": upn or None, "date_of_birth": date_of_birth, **texts}


def _add_totals(
    builder: ReadingBuilder,
    totals: list[Mapping[str, Any]],
    identity: Mapping[str, Any],
    counts: Mapping[str, str],
    reasons: Sequence[tuple[str, str]],
    row: int,
    values: Sequence[str] = (),
) -> None:
    """Add one pupil's totals, or a problem if a number cannot be read. Sums by reason override given totals."""
    texts = [*counts.values(), *(sessions for _, sessions in reasons)]
    if (unread := next((text for text in texts if clean_value(text) and not _NUMBER.match(clean_value(text))), None)) is not None:
        _add_number_problem(builder, row, unread, values)
        return
    reported = {name: _whole_number(text) for name, text in counts.items()}
    by_reason: Counter[str] = Counter()
    for reason, sessions in reasons:
        by_reason[code_text(reason)] += _whole_number(sessions) or 0
    by_category = Counter[Category | None]()
    for reason, times in by_reason.items():
        by_category[CODES_BY_SYMBOL[reason].category if reason in CODES_BY_SYMBOL else None] += times
    has_no_totals = reported.get("authorised") is None and reported.get("unauthorised") is None and "absent" not in reported
    use_sums = bool(by_reason) or has_no_totals
    authorised = by_category[Category.AUTHORISED] if use_sums else reported.get("authorised")
    unauthorised = by_category[Category.UNAUTHORISED] if use_sums else reported.get("unauthorised")
    absent = reported.get("absent")
    if absent is None and (authorised is not None or unauthorised is not None):
        # Sessions with a blank or unknown reason are absences too, neither authorised nor unauthorised.
        absent = (authorised or 0) + (unauthorised or 0) + by_category[None]
    possible, attended = reported.get("possible"), _attended(reported, absent)
    if possible is not None and absent is not None and absent > possible:
        builder.add_problem("more-than-possible", ABOVE, row=row, value=f"{absent} of {possible}", count=0)
    names = ("upn", "surname", "forename", "date_of_birth", "span", "school_number", "local_id")
    numbers = dict(zip(SESSIONS, (possible, authorised, unauthorised, absent, attended), strict=True))
    totals.append({**{name: identity.get(name) for name in names}, **numbers, "reasons": dict(by_reason), "row": row})


def _attended(reported: Mapping[str, int | None], absent: int | None) -> int | None:
    """Sessions attended: present plus approved activities if given, otherwise possible less absent."""
    if reported.get("present") is not None:
        return (reported["present"] or 0) + (reported.get("approved") or 0)
    possible = reported.get("possible")
    return max(0, possible - absent) if possible is not None and absent is not None else None


def _whole_number(text: str) -> int | None:
    match = _NUMBER.match(clean_value(text))
    return int(match[1]) if match else None


def _add_number_problem(builder: ReadingBuilder, row: int, text: str, values: Sequence[str]) -> None:
    number = clean_value(text)
    builder.add_problem("not-a-number", NOT_A_NUMBER.format(number[:20]), row=row, value=number[:40], raw=tuple(values))
