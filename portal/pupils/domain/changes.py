"""What a list changes: existing values compared with incoming ones, before anything is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from portal.platform.problems import Problem
from portal.pupils.domain.incoming import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.pupils.domain.incoming import IncomingParent, IncomingPupil
    from portal.pupils.models import Characteristic, Contact, Pupil, PupilContact

#: Values that say a pupil does not have a characteristic: the open row ends and none begins.
NO_VALUES = frozenset({"n", "no", "none", "false", "0"})
#: A pupil's columns that a list's value replaces without further rules.
REPLACED_COLUMNS = ("surname", "forename", "middle_names", "sex", "ethnicity", "eal", "address", "postcode")
REPLACED_CONTACT_COLUMNS = ("phone", "email", "address", "postcode")
#: Crockford's base 32: without I, L, O and U, which are misread or misheard.
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class ImportTime:
    """The day and the instant of an import."""

    today: date
    instant: datetime


@dataclass(slots=True)
class Changes:
    """Rows of one school to add and to change, by table. `touched` holds every pupil with a change."""

    school_id: UUID
    added: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    changed: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    touched: set[UUID] = field(default_factory=set)

    def add(self, table: str, pupil_id: UUID, /, **values: Any) -> None:
        """Collect a row to add. It is the school's own."""
        self.added[table].append({"school_id": self.school_id, **values})
        self.touched.add(pupil_id)

    def change(self, table: str, pupil_id: UUID, /, **values: Any) -> None:
        """Collect a row to change, with every column that may change."""
        self.changed[table].append(values)
        self.touched.add(pupil_id)


def reference_of(pupil_id: UUID) -> str:
    """A short reference people can say aloud, made from the random id.

    Eight characters that reveal nothing about the child.
    """
    number = pupil_id.int >> 88  # the first 40 bits: eight characters of five bits
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))


def new_pupil(pupil_id: UUID, pupil: IncomingPupil) -> dict[str, Any]:
    """The first row of a pupil."""
    columns = {name: getattr(pupil, name) for name in REPLACED_COLUMNS}
    columns |= {name: text or None for name, text in columns.items() if isinstance(text, str)}
    return {
        **columns,
        # Of a pupil with one name only, whom a person took from a question.
        "forename": pupil.forename,
        "id": pupil_id,
        "upn": pupil.upn or None,
        "former_upn": pupil.former_upn or None,
        "surname_folded": pupil.surname_folded,
        "forename_folded": pupil.forename_folded,
        "date_of_birth": pupil.date_of_birth,
        "reference": reference_of(pupil_id),
    }


def pupil_changes(changes: Changes, existing: Pupil, pupil: IncomingPupil) -> None:
    """Collect what a list changes in an existing pupil. A blank erases nothing."""
    values = {name: _updated(getattr(pupil, name), getattr(existing, name)) for name in REPLACED_COLUMNS}
    values |= _upns(existing, pupil)
    values["date_of_birth"] = pupil.date_of_birth
    values["surname_folded"] = pupil.surname_folded
    values["forename_folded"] = pupil.forename_folded or existing.forename_folded
    if any(getattr(existing, name) != value for name, value in values.items()):
        changes.change("pupil", existing.id, id=existing.id, **values)


def _upns(existing: Pupil, pupil: IncomingPupil) -> dict[str, str | None]:
    """The UPN and the former UPN after a list.

    A new UPN makes the old one former. A list that still has the former UPN does not bring it back.
    """
    if not pupil.upn or pupil.upn in {existing.upn, existing.former_upn}:
        return {
            "upn": existing.upn or pupil.upn or None,
            "former_upn": existing.former_upn or _unless_equal(pupil.former_upn, existing.upn),
        }
    return {"upn": pupil.upn, "former_upn": existing.upn or pupil.former_upn or existing.former_upn}


def _unless_equal(upn: str | None, excluded: str | None) -> str | None:
    return upn if upn and upn != excluded else None


def _updated(incoming: Any, existing: Any) -> Any:
    return existing if incoming is None or incoming == "" else incoming


def contact_changes(
    changes: Changes, pupil_id: UUID, existing: Sequence[tuple[PupilContact, Contact]], pupil: IncomingPupil
) -> list[Problem]:
    """Collect what a list changes in a pupil's parents and carers. Returns warnings.

    Parents are matched by name, and only among the pupil's own. Two of one name (a father and a son) are told apart by
    postcode. A parent who is not listed stays, and a list never lifts "do not disclose".
    """
    notices = []
    matched_ids: set[UUID] = set()
    for priority, parent in enumerate(pupil.parents, len(existing) + 1):
        namesakes = [pair for pair in existing if folded(pair[1].name) == folded(parent.name) and pair[1].id not in matched_ids]
        if len(namesakes) > 1:
            namesakes = [pair for pair in namesakes if _normalised(pair[1].postcode) == _normalised(parent.postcode)] or namesakes
        if not namesakes:
            _add_contact(changes, pupil_id, parent, priority)
            continue
        link, contact = namesakes[0]
        matched_ids.add(contact.id)
        _change_contact(changes, pupil_id, (link, contact), parent)
        if contact.do_not_disclose and not parent.do_not_disclose:
            sentence = "An address stays hidden, though the list does not say “do not disclose”. A person can lift that."
            notices.append(Problem(sentence, pupil.row, "do not disclose"))
    return notices


def _normalised(postcode: str | None) -> str:
    return (postcode or "").replace(" ", "").casefold()


def _add_contact(changes: Changes, pupil_id: UUID, parent: IncomingParent, priority: int) -> None:
    contact_id = uuid4()
    columns = {name: getattr(parent, name) or None for name in REPLACED_CONTACT_COLUMNS}
    changes.add("contact", pupil_id, id=contact_id, name=parent.name, do_not_disclose=parent.do_not_disclose, **columns)
    changes.add(
        "pupil_contact",
        pupil_id,
        id=uuid4(),
        pupil_id=pupil_id,
        contact_id=contact_id,
        relationship=parent.relationship or None,
        parental_responsibility=parent.parental_responsibility,
        priority=priority,
    )


def _change_contact(changes: Changes, pupil_id: UUID, existing: tuple[PupilContact, Contact], parent: IncomingParent) -> None:
    link, current = existing
    values = {name: _updated(getattr(parent, name), getattr(current, name)) for name in REPLACED_CONTACT_COLUMNS}
    values["name"] = parent.name
    values["do_not_disclose"] = current.do_not_disclose or parent.do_not_disclose
    if any(getattr(current, name) != value for name, value in values.items()):
        changes.change("contact", pupil_id, id=current.id, **values)
    link_values = {
        name: _updated(getattr(parent, name), getattr(link, name)) for name in ("relationship", "parental_responsibility")
    }
    if any(getattr(link, name) != value for name, value in link_values.items()):
        changes.change("pupil_contact", pupil_id, id=link.id, **link_values)


def characteristic_changes(
    changes: Changes, pupil_id: UUID, existing: Sequence[Characteristic], pupil: IncomingPupil, import_time: ImportTime
) -> None:
    """Collect what a list changes in a pupil's characteristics.

    A changed value ends the open row and begins another. A row that began today is changed in place, so a slip mended on
    the same day leaves no trace. A first value has no first day, because the list does not say when it began.
    """
    open_rows = {row.kind: row for row in existing if row.last_day is None}
    for kind, value in pupil.characteristics.items():
        text = value.strip()
        open_row = open_rows.get(kind)
        if not text or (open_row is not None and open_row.value == text):
            continue
        has_it = text.casefold() not in NO_VALUES
        if open_row is not None and open_row.first_day == import_time.today and has_it:
            changes.change("characteristic", pupil_id, id=open_row.id, value=text, last_day=None)
            continue
        if open_row is not None:
            last_day = max(import_time.today - timedelta(days=1), open_row.first_day or date.min)
            changes.change("characteristic", pupil_id, id=open_row.id, value=open_row.value, last_day=last_day)
        if has_it:
            _begin(changes, pupil_id, kind, text, import_time, was_known=any(row.kind == kind for row in existing))


def _begin(changes: Changes, pupil_id: UUID, kind: str, value: str, import_time: ImportTime, *, was_known: bool) -> None:
    changes.add(
        "characteristic",
        pupil_id,
        id=uuid4(),
        pupil_id=pupil_id,
        kind=kind,
        value=value,
        first_day=import_time.today if was_known else None,
        last_day=None,
        recorded_at=import_time.instant,
    )
