"""What a file would change, by its kind: typed, stored as JSON, and printed.

The documents here are what `docs/command-line.md` promises, and what `upload.preview` has always held: their keys stay.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from portal.pupils.domain.matching import MatchKind
from portal.uploads.domain.kinds import Kind
from portal.uploads.domain.reading.result import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CodeChange:
    """Stored marks of one code that become another, and how many."""

    before: str
    after: str
    count: int

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read it as stored."""
        return cls(document["from"], document["to"], document["count"])

    def document(self) -> dict[str, Any]:
        """As stored and printed."""
        return {"from": self.before, "to": self.after, "count": self.count}


@dataclass(frozen=True, slots=True)
class WeekCounts:
    """The marks of one week that are added, changed or left as they are."""

    week: date
    added: int
    changed: int
    unchanged: int

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read it as stored."""
        week = date.fromisoformat(document["week"])
        return cls(week, document["added"], document["changed"], document["unchanged"])

    def document(self) -> dict[str, Any]:
        """As stored and printed."""
        return {"week": self.week.isoformat(), "added": self.added, "changed": self.changed, "unchanged": self.unchanged}


@dataclass(frozen=True, slots=True)
class EarlierUpload:
    """An earlier upload of the same bytes."""

    id: UUID
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksPreview:
    """What a file of marks would change."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    missing: int = 0
    changes: tuple[CodeChange, ...] = ()
    weeks: tuple[WeekCounts, ...] = ()
    complete_weeks: tuple[date, ...] = ()
    title_rows_skipped: int = 0
    totals_rows_skipped: int = 0
    hidden_sheets: tuple[str, ...] = ()
    same_as: EarlierUpload | None = None

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read it as stored. What an older version of the portal did not store is left at nothing."""
        same_as = None
        if document.get("same_as"):
            same_as = EarlierUpload(UUID(document["same_as"]), datetime.fromisoformat(document["same_as_received_at"]))
        counts = ("added", "changed", "unchanged", "missing", "title_rows_skipped", "totals_rows_skipped")
        return cls(
            **{name: document.get(name, 0) for name in counts},
            rejected=document.get("refused", 0),
            changes=tuple(map(CodeChange.from_document, document.get("changes", ()))),
            weeks=tuple(map(WeekCounts.from_document, document.get("weeks", ()))),
            complete_weeks=tuple(map(date.fromisoformat, document.get("complete_weeks", ()))),
            hidden_sheets=tuple(document.get("hidden_sheets", ())),
            same_as=same_as,
        )

    def document(self) -> dict[str, Any]:
        """As stored and printed."""
        return {
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "refused": self.rejected,
            "missing": self.missing,
            "changes": [change.document() for change in self.changes],
            "weeks": [week.document() for week in self.weeks],
            "complete_weeks": [week.isoformat() for week in self.complete_weeks],
            "title_rows_skipped": self.title_rows_skipped,
            "totals_rows_skipped": self.totals_rows_skipped,
            "hidden_sheets": list(self.hidden_sheets),
            "same_as": str(self.same_as.id) if self.same_as else None,
            "same_as_received_at": self.same_as.received_at.isoformat() if self.same_as else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilListPreview:
    """What a pupil list would change. `imported` counts what importing it did, once it is applied."""

    academic_year: str
    matches: Mapping[MatchKind, int] = field(default_factory=dict)
    imported: Mapping[str, int] | None = None

    @property
    def new(self) -> int:
        """Pupils like no pupil on the portal."""
        return self.matches.get(MatchKind.NEW, 0)

    @property
    def existing(self) -> int:
        """Pupils already on the portal."""
        return self.matches.get(MatchKind.EXISTING, 0)

    @property
    def questions(self) -> int:
        """Possible duplicates, which a person must decide."""
        return self.matches.get(MatchKind.QUESTION, 0)

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read it as stored."""
        return cls(
            academic_year=document["academic_year"],
            matches={MatchKind(kind): count for kind, count in document.get("pupils", {}).items()},
            imported=document.get("taken"),
        )

    def document(self) -> dict[str, Any]:
        """As stored and printed."""
        document: dict[str, Any] = {
            "academic_year": self.academic_year,
            "pupils": {str(kind): count for kind, count in self.matches.items()},
            "missing": 0,
        }
        return document if self.imported is None else document | {"taken": dict(self.imported)}


@dataclass(frozen=True, slots=True)
class TotalsPreview:
    """How many reported totals a file would store."""

    totals: int

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read it as stored."""
        return cls(document["totals"])

    def document(self) -> dict[str, Any]:
        """As stored and printed."""
        return {"totals": self.totals}


Preview = MarksPreview | PupilListPreview | TotalsPreview
_TYPES: Mapping[Kind, type[Preview]] = {
    Kind.MARKS: MarksPreview,
    Kind.PUPILS: PupilListPreview,
    Kind.TOTALS: TotalsPreview,
}
_KINDS = {preview_type: kind for kind, preview_type in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class FileColumns:
    """The columns of a file as read, their fingerprint, and the meanings no column has."""

    columns: tuple[Column, ...] = ()
    fingerprint: str = ""
    missing_meanings: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read them as stored."""
        columns = (Column(column["header"], column["meaning"], tuple(column["samples"])) for column in document.get("columns", ()))
        return cls(tuple(columns), document.get("fingerprint", ""), tuple(document.get("lacking", ())))

    def document(self) -> dict[str, Any]:
        """As stored and printed."""
        columns = [asdict(column) for column in self.columns]
        return {"columns": columns, "fingerprint": self.fingerprint, "lacking": list(self.missing_meanings)}


def to_stored(preview: Preview) -> dict[str, Any]:
    """A preview as the database keeps it: its document, and its kind."""
    return {"kind": _KINDS[type(preview)].value, **preview.document()}


def from_stored(document: Document) -> Preview:
    """The preview that the database keeps as `document`."""
    return _TYPES[Kind(document["kind"])].from_document(document)


def printed(preview: Preview | None, columns: FileColumns | None) -> dict[str, Any]:
    """Preview and columns in one document, as the command line prints them."""
    document: dict[str, Any] = _in_order({**(preview.document() if preview else {}), **(columns.document() if columns else {})})
    return document


def _in_order(value: Any) -> Any:
    """Names in the order PostgreSQL keeps them in: the shortest first.

    The command line has always printed what the database returned, and its output is compared byte for byte.
    """
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in sorted(value, key=lambda name: (len(name), name))}
    return [_in_order(item) for item in value] if isinstance(value, list | tuple) else value
