"""What a list changes: held values beside incoming ones, worked out before anything is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from portal.pupils.incoming import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.pupils.incoming import IncomingParent, IncomingPupil
    from portal.pupils.models import Characteristic, Parent, Parenthood, Pupil

#: What a list may say when a pupil does not have a characteristic: the open row ends and none begins.
NOT_SO = frozenset({"n", "no", "none", "false", "0"})
#: Columns of a pupil that a list's value simply replaces.
PLAIN = ("surname", "forename", "middle_names", "sex", "ethnicity", "eal", "address", "postcode")
PARENT_PLAIN = ("phone", "email", "address", "postcode")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth a person's eye in a list that was taken: the row of the file, the field, and the sentence."""

    row: int | None
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Now:
    """The day and the instant a list is taken."""

    today: date
    instant: datetime


@dataclass(slots=True)
class Changes:
    """Rows to add and rows to change, by table; `touched` are the pupils with a change of any kind."""

    added: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    changed: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    touched: set[UUID] = field(default_factory=set)

    def add(self, table: str, pupil_id: UUID, /, **values: Any) -> None:
        """Note a row to add."""
        self.added[table].append(values)
        self.touched.add(pupil_id)

    def change(self, table: str, pupil_id: UUID, /, **values: Any) -> None:
        """Note a row to change, with every column that may change."""
        self.changed[table].append(values)
        self.touched.add(pupil_id)


def reference_of(pupil_id: UUID) -> str:
    """A short reference people can say aloud, made from the id: eight signs that hold nothing about the child."""
    number = pupil_id.int >> 88
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))


def new_pupil(pupil_id: UUID, pupil: IncomingPupil) -> dict[str, Any]:
    """A pupil's row as it is first kept."""
    plain = {name: getattr(pupil, name) for name in PLAIN}
    plain |= {name: value or None for name, value in plain.items() if isinstance(value, str)}
    return {
        **plain,
        "id": pupil_id,
        "upn": pupil.upn or None,
        "former_upn": pupil.former_upn or None,
        "surname_folded": pupil.surname_folded,
        "forename_folded": pupil.forename_folded,
        "date_of_birth": pupil.date_of_birth,
        "reference": reference_of(pupil_id),
    }


def pupil_changes(changes: Changes, held: Pupil, pupil: IncomingPupil) -> None:
    """Note what a list changes in a held pupil. A list that says nothing erases nothing; a UPN given up becomes the former."""
    values = {name: _said(getattr(pupil, name), getattr(held, name)) for name in PLAIN}
    values |= _upns(held, pupil)
    values["date_of_birth"] = pupil.date_of_birth
    values["surname_folded"] = pupil.surname_folded
    values["forename_folded"] = pupil.forename_folded
    if any(getattr(held, name) != value for name, value in values.items()):
        changes.change("pupil", held.id, id=held.id, **values)


def _upns(held: Pupil, pupil: IncomingPupil) -> dict[str, str | None]:
    """The UPN and the former UPN after a list: an old list naming the former one does not bring it back."""
    if not pupil.upn or pupil.upn in {held.upn, held.former_upn}:
        return {"upn": held.upn or pupil.upn or None, "former_upn": held.former_upn or _other(pupil.former_upn, held.upn)}
    return {"upn": pupil.upn, "former_upn": held.upn or pupil.former_upn or held.former_upn}


def _other(one: str | None, than: str | None) -> str | None:
    return one if one and one != than else None


def _said(incoming: Any, held: Any) -> Any:
    return held if incoming is None or incoming == "" else incoming


def parent_changes(
    changes: Changes, pupil_id: UUID, held: Sequence[tuple[Parenthood, Parent]], pupil: IncomingPupil
) -> list[Notice]:
    """Note what a list changes in a pupil's parents and carers, each known by name within the pupil's own household.

    Two of one name (a father and a son) are told apart by postcode. Nobody is removed for not being listed, and "do
    not disclose" is never lifted by a list.
    """
    notices = []
    taken: set[UUID] = set()
    for place, parent in enumerate(pupil.parents, len(held) + 1):
        same = [pair for pair in held if folded(pair[1].name) == folded(parent.name) and pair[1].id not in taken]
        if len(same) > 1:
            same = [pair for pair in same if _plain(pair[1].postcode) == _plain(parent.postcode)] or same
        if not same:
            _add_parent(changes, pupil_id, parent, place)
            continue
        tie, one = same[0]
        taken.add(one.id)
        _change_parent(changes, pupil_id, (tie, one), parent)
        if one.do_not_disclose and not parent.do_not_disclose:
            sentence = "An address stays hidden, though the list does not say “do not disclose”. A person can lift that."
            notices.append(Notice(pupil.row, "do not disclose", sentence))
    return notices


def _plain(postcode: str | None) -> str:
    return (postcode or "").replace(" ", "").casefold()


def _add_parent(changes: Changes, pupil_id: UUID, parent: IncomingParent, place: int) -> None:
    parent_id = uuid4()
    plain = {name: getattr(parent, name) or None for name in PARENT_PLAIN}
    changes.add("parent", pupil_id, id=parent_id, name=parent.name, do_not_disclose=parent.do_not_disclose, **plain)
    changes.add(
        "parenthood",
        pupil_id,
        id=uuid4(),
        pupil_id=pupil_id,
        parent_id=parent_id,
        relationship=parent.relationship or None,
        parental_responsibility=parent.parental_responsibility,
        priority=place,
    )


def _change_parent(changes: Changes, pupil_id: UUID, held: tuple[Parenthood, Parent], parent: IncomingParent) -> None:
    tie, one = held
    values = {name: _said(getattr(parent, name), getattr(one, name)) for name in PARENT_PLAIN}
    values["name"] = parent.name
    values["do_not_disclose"] = one.do_not_disclose or parent.do_not_disclose
    if any(getattr(one, name) != value for name, value in values.items()):
        changes.change("parent", pupil_id, id=one.id, **values)
    tied = {name: _said(getattr(parent, name), getattr(tie, name)) for name in ("relationship", "parental_responsibility")}
    if any(getattr(tie, name) != value for name, value in tied.items()):
        changes.change("parenthood", pupil_id, id=tie.id, **tied)


def characteristic_changes(
    changes: Changes, pupil_id: UUID, held: Sequence[Characteristic], pupil: IncomingPupil, now: Now
) -> None:
    """Note what a list changes in a pupil's characteristics: a changed value ends the row that was open and begins one.

    A row that began today is changed in place; a first value has no first day, because nobody has said when it began.
    """
    open_rows = {one.kind: one for one in held if one.last_day is None}
    for kind, value in pupil.characteristics.items():
        said = value.strip()
        one = open_rows.get(kind)
        if not said or (one is not None and one.value == said):
            continue
        is_so = said.casefold() not in NOT_SO
        if one is not None and one.first_day == now.today and is_so:
            changes.change("characteristic", pupil_id, id=one.id, value=said, last_day=None)
            continue
        if one is not None:
            ends = max(now.today - timedelta(days=1), one.first_day or date.min)
            changes.change("characteristic", pupil_id, id=one.id, value=one.value, last_day=ends)
        if is_so:
            _begin(changes, pupil_id, kind, said, now, was_known=any(row.kind == kind for row in held))


def _begin(changes: Changes, pupil_id: UUID, kind: str, value: str, now: Now, *, was_known: bool) -> None:
    changes.add(
        "characteristic",
        pupil_id,
        id=uuid4(),
        pupil_id=pupil_id,
        kind=kind,
        value=value,
        first_day=now.today if was_known else None,
        last_day=None,
        recorded_at=now.instant,
    )
