"""Bytes as text: the encodings that schools' systems and spreadsheets write."""

from __future__ import annotations

from portal.tabular.rejection import FileRejected

DAMAGED = "The file's text is damaged. Save it again as CSV UTF-8 and send it."
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decoded(content: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: UTF-8, UTF-16 with a byte order mark, otherwise Windows-1252.

    Raises:
        FileRejected: when the bytes are not text.
    """
    if not content.startswith(UTF16_MARKS):
        return decoded_cell(content.removeprefix(b"\xef\xbb\xbf"))
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError as error:
        raise FileRejected("encoding", DAMAGED) from error
    # PostgreSQL cannot store NUL in text: it would fail later, when a finding is written.
    if "\0" in text:
        raise FileRejected("encoding", DAMAGED, row=text.count("\n", 0, text.index("\0")) + 1)
    return text, "utf-16"


def decoded_cell(content: bytes) -> tuple[str, str]:
    """A file's or a cell's text without a byte order mark, and its encoding: UTF-8 or Windows-1252."""
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace"), "cp1252"
