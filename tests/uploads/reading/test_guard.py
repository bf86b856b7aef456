"""Tests of the guard: what a file is by its content, in time that cannot be noticed."""

from __future__ import annotations

import time

import pytest

from portal.uploads.reading import DEFAULT, FileRefused, Limits
from portal.uploads.reading.guard import json_document, recognised, xml_root
from tests.uploads.reading.support import upn, workbook


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"UPN,Date\n", "text"),
        ("UPN\tDate\n".encode("utf-16"), "text"),
        (b"MZ,BM,RIFF\n", "text"),
        (b"PUPIL,Date\n", "text"),
        (b"[,]\n", "text"),
        (b' \n{"attendance": []}', "json"),
        (b'\xef\xbb\xbf[{"id": 1}]', "json"),
        (b"<CTfile/>", "xml"),
        (b"\xef\xbb\xbf\n <?xml version='1.0' encoding='ISO-8859-1'?><!-- table --><CTfile/>", "xml"),
        ("<?xml version='1.0' encoding='utf-16'?><CTfile/>".encode("utf-16"), "xml"),
        ("<CTfile/>".encode("utf-16-le"), "xml"),
    ],
)
def test_content_is_recognised(content: bytes, kind: str) -> None:
    assert recognised(content, DEFAULT) == kind


def test_a_workbook_is_recognised_without_being_noticed() -> None:
    content = workbook({"Marks": [[upn(1), "2026-09-07", "AM", f"{row}"] for row in range(20_000)]})
    started = time.perf_counter()
    assert recognised(content, DEFAULT) == "xlsx"
    assert time.perf_counter() - started < 0.3


def test_limits_are_asked_before_anything_else() -> None:
    with pytest.raises(FileRefused, match="larger than 1 MB"):
        recognised(b"x" * 1_000_001, Limits(size=1_000_000))


def test_depth_elements_and_damage_of_xml() -> None:
    assert xml_root(b"<a>" * 100 + b"</a>" * 100, DEFAULT).tag == "a"
    with pytest.raises(FileRefused, match="nested more than 100 deep"):
        xml_root(b"<a>" * 101 + b"</a>" * 101, DEFAULT)
    with pytest.raises(FileRefused, match="damaged near line 2"):
        xml_root(b"<a>\n<b></a>", DEFAULT)


@pytest.mark.parametrize(
    "content",
    [b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": }', b"[" * 101 + b"]" * 101, b"[" * 100_000, b'{"a": ' + b"9" * 9_999 + b"}"],
)
def test_json_that_cannot_be_trusted_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused):
        json_document(content, DEFAULT)


def test_json_within_limits_is_read() -> None:
    assert json_document(b"[" * 100 + b"]" * 100, DEFAULT)
    assert json_document('{"é": [1.5, "NaN"]}'.encode("utf-16"), DEFAULT) == {"é": [1.5, "NaN"]}
