"""The answer of the reading child as bytes: one JSON text, then the arrays. The parent believes none of it.

A pickle would run code that a child wrote into it, once a file has taken that child over. Here every length is limited
before memory is set aside for it, every value has the one type it may have, and every index points at something.
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from portal.uploads.domain.reading.result import Column, MarkNote, Person, PupilKey, Reading, ReadingProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

#: The arrays of a reading and the one type of each.
ARRAYS = {"pupil": "<i4", "day": "<i4", "session": "|u1", "code": "<i2", "row": "<i4", "column": "<i2", "sheet": "<i2"}
#: The parts of a problem, in the order in which they are sent.
PROBLEM_PARTS = tuple(part.name for part in fields(ReadingProblem))
LARGEST_TEXT = 100_000_000
#: The lists, objects and values of a JSON text. Each is some sixty bytes in memory where it may be two in the text.
MOST_VALUES = 15_000_000
#: A cell of a large sheet is one mark at most.
MOST_MARKS = 13_000_000
DEEPEST = 8
LARGEST_NUMBER = 2**53


class MalformedAnswerError(ValueError):
    """What the child sent is no answer; the message repeats nothing of it."""


def packed(reading: Reading) -> tuple[bytes, list[memoryview]]:
    """A reading as its JSON text and the bytes of its arrays."""
    arrays = {name: np.ascontiguousarray(getattr(reading, name), dtype=kind) for name, kind in ARRAYS.items()}
    text = {
        "arrays": [[name, ARRAYS[name], int(array.size)] for name, array in arrays.items()],
        "layout": reading.layout,
        "pupils": reading.pupils,
        "dates": reading.dates,
        "codes": reading.codes,
        "missing": reading.missing,
        "notes": [(note.pupil, note.day, note.session, note.minutes_late, note.comment) for note in reading.notes],
        "people": [
            (person.surname, person.forename, person.date_of_birth, person.row, person.fields, person.parents)
            for person in reading.people
        ],
        "totals": reading.totals,
        "problems": [[getattr(problem, name) for name in PROBLEM_PARTS] for problem in reading.problems],
        "rejected_rows": [(sheet, row, cells) for (sheet, row), cells in reading.rejected_rows.items()],
        "columns": [(column.header, column.meaning, column.samples) for column in reading.columns],
        "needs_mapping": reading.needs_mapping,
        "missing_meanings": reading.missing_meanings,
        "fingerprint": reading.fingerprint,
        "one_letter": reading.one_letter,
        "ambiguous_dates": reading.ambiguous_dates,
        "encoding": reading.encoding,
        "sheets_read": reading.sheets_read,
        "hidden_sheets": reading.hidden_sheets,
        "title_rows_skipped": reading.title_rows_skipped,
        "totals_rows_skipped": reading.totals_rows_skipped,
    }
    return json.dumps(text, default=_special, separators=(",", ":")).encode(), [array.data.cast("B") for array in arrays.values()]


def _special(value: object) -> object:
    """A date, or a mapping that is no dict, in JSON."""
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return dict(value)  # type: ignore[call-overload]  # a mapping; anything else is an error, as it should be


def text_of(body: bytes | bytearray) -> dict[str, Any]:
    """The JSON text as values, of a limited number and depth.

    Raises:
        MalformedAnswerError: when it is none, or could take more memory than an answer needs.
    """
    if len(body) > LARGEST_TEXT or sum(body.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES:
        raise MalformedAnswerError("too large")
    try:
        values = json.loads(bytes(body).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedAnswerError("not JSON") from error
    if not isinstance(values, dict):
        raise MalformedAnswerError("not an object")
    return values


def _refuse_constant(_name: str) -> None:
    raise MalformedAnswerError("not a number")


def array_sizes(values: Mapping[str, Any]) -> list[int]:
    """The length in bytes of each array that follows the text.

    Raises:
        MalformedAnswerError: when they are not the seven arrays of one length, or have other types.
    """
    declared = values.get("arrays")
    if not isinstance(declared, list) or len(declared) != len(ARRAYS):
        raise MalformedAnswerError("other arrays")
    sizes = []
    for entry, (name, kind) in zip(declared, ARRAYS.items(), strict=True):
        if not isinstance(entry, list) or len(entry) != 3 or entry[:2] != [name, kind]:
            raise MalformedAnswerError("an array of another type")
        sizes.append(_number(entry[2], MOST_MARKS))
    if len(set(sizes)) != 1:
        raise MalformedAnswerError("arrays of several lengths")
    return [size * np.dtype(kind).itemsize for size, kind in zip(sizes, ARRAYS.values(), strict=True)]


def unpacked(values: Mapping[str, Any], bodies: Sequence[bytearray]) -> Reading:
    """The reading that the JSON text and the arrays describe.

    Raises:
        MalformedAnswerError: when a value has another type, or an index points nowhere.
    """
    try:
        return _unpacked(values, bodies)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise MalformedAnswerError("values of other types") from error


def _unpacked(values: Mapping[str, Any], bodies: Sequence[bytearray]) -> Reading:
    pupils = tuple(PupilKey(*_key(entry)) for entry in _list(values["pupils"]))
    dates = tuple(_date(entry) for entry in _list(values["dates"]))
    codes = _texts(values["codes"])
    arrays = {name: np.frombuffer(body, dtype=kind) for (name, kind), body in zip(ARRAYS.items(), bodies, strict=True)}
    for name, limit in (("pupil", len(pupils)), ("day", len(dates)), ("code", len(codes)), ("session", 2)):
        _check_indexes(arrays[name], limit)
    for name in ("row", "column", "sheet"):
        _check_indexes(arrays[name], None)
    return Reading(
        layout=_text(values["layout"]),
        pupils=pupils,
        dates=dates,
        codes=codes,
        **arrays,
        missing=_number(values["missing"]),
        notes=tuple(_note(entry, len(pupils), len(dates)) for entry in _list(values["notes"])),
        people=tuple(_person(entry) for entry in _list(values["people"])),
        totals=tuple(_mapping(entry) for entry in _list(values["totals"])),
        problems=tuple(_problem(entry) for entry in _list(values["problems"])),
        rejected_rows={(_number(sheet), _number(row)): _texts(cells) for sheet, row, cells in _list(values["rejected_rows"])},
        columns=tuple(
            Column(_text(header), _text_or_none(meaning), _texts(samples)) for header, meaning, samples in _list(values["columns"])
        ),
        needs_mapping=_truth(values["needs_mapping"]),
        missing_meanings=_texts(values["missing_meanings"]),
        fingerprint=_text(values["fingerprint"]),
        one_letter=_truth(values["one_letter"]),
        ambiguous_dates=_truth(values["ambiguous_dates"]),
        encoding=_text_or_none(values["encoding"]),
        sheets_read=_texts(values["sheets_read"]),
        hidden_sheets=_texts(values["hidden_sheets"]),
        title_rows_skipped=_number(values["title_rows_skipped"]),
        totals_rows_skipped=_number(values["totals_rows_skipped"]),
    )


def _check_indexes(array: NDArray[Any], limit: int | None) -> None:
    if array.size and (int(array.min()) < 0 or (limit is not None and int(array.max()) >= limit)):
        raise MalformedAnswerError("an index that points nowhere")


def _key(entry: object) -> Iterable[Any]:
    """The details that identify a pupil: texts, and one date."""
    details = _list(entry)
    if len(details) != len(PupilKey._fields):
        raise MalformedAnswerError("a pupil of other details")
    return (
        (None if value is None else _date(value)) if name == "date_of_birth" else _text_or_none(value)
        for name, value in zip(PupilKey._fields, details, strict=True)
    )


def _note(entry: object, pupils: int, dates: int) -> MarkNote:
    pupil, day, session, minutes, comment = _list(entry)
    return MarkNote(
        _number(pupil, pupils - 1),
        _number(day, dates - 1),
        _number(session, 1),
        None if minutes is None else _number(minutes),
        _text_or_none(comment),
    )


def _person(entry: object) -> Person:
    surname, forename, born, row, fields, parents = _list(entry)
    return Person(
        _text(surname),
        _text(forename),
        _date(born),
        _number(row),
        _mapping(fields),
        tuple(_mapping(parent) for parent in _list(parents)),
    )


def _problem(entry: object) -> ReadingProblem:
    sentence, row, column, value, kind, sheet, count = _list(entry)
    return ReadingProblem(
        _text(sentence),
        None if row is None else _number(row),
        _text_or_none(column),
        _text_or_none(value),
        _text(kind),
        _number(sheet),
        _number(count),
    )


def _mapping(entry: object, depth: int = 0) -> dict[str, Any]:
    """An object of plain values, dates among them."""
    if not isinstance(entry, dict):
        raise MalformedAnswerError("no object")
    return {_text(name): _plain(value, depth + 1) for name, value in entry.items()}


def _plain(value: object, depth: int) -> Any:
    if depth > DEEPEST:
        raise MalformedAnswerError("nested too deeply")
    if isinstance(value, dict):
        return _date(value) if value.keys() == {"date"} else _mapping(value, depth)
    if isinstance(value, list):
        return tuple(_plain(entry, depth + 1) for entry in value)
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise MalformedAnswerError("no number within its limits")
    return value if value is None or isinstance(value, int | float) else _text(value)


def _checked(kind: type, words: str) -> Callable[[object], Any]:
    def check(value: object) -> Any:
        if type(value) is not kind:
            raise MalformedAnswerError(words)
        return value

    return check


_list: Callable[[object], list[Any]] = _checked(list, "no list")
_truth: Callable[[object], bool] = _checked(bool, "no yes or no")


def _text(value: object) -> str:
    if type(value) is not str:
        raise MalformedAnswerError("no text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(entry) for entry in _list(value))


def _number(value: object, largest: int = 2**31 - 1) -> int:
    if type(value) is not int or not 0 <= value <= largest:
        raise MalformedAnswerError("no number within its limits")
    return value


def _date(value: object) -> date:
    if type(value) is not dict or value.keys() != {"date"}:
        raise MalformedAnswerError("no date")
    return date.fromisoformat(_text(value["date"]))
