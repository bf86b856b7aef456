"""What a file may cost to read, and how a whole file is refused: in a sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings that hold before and while a file is read. Sizes in bytes, times in seconds."""

    size: int = 25 * MEGABYTE
    parts: int = 200
    part_size: int = 60 * MEGABYTE
    unpacked: int = 100 * MEGABYTE
    ratio: int = 200
    rows: int = 1_200_000
    columns: int = 2_000
    cells: int = 12_000_000
    cell: int = 32_767
    line: int = 2 * MEGABYTE
    tags: int = 1_500_000
    attributes: int = 1_000_000
    json_items: int = 4_000_000
    refused_rows: int = 20_000
    distinct_codes: int = 2_000
    memory: int = 768 * MEGABYTE
    seconds: int = 60
    processor_seconds: int = 45


DEFAULT = Limits()


class FileRefused(Exception):  # noqa: N818  a file is refused; nothing went wrong in the portal
    """The whole file cannot be read. `kind` is a slug, `message` a sentence that says what to do."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind = kind
        self.message = message


def refuse_if_too_big(size: int, limits: Limits) -> None:
    """Refuse an empty file and one over the size limit.

    Raises:
        FileRefused: empty or too-big.
    """
    if size == 0:
        raise FileRefused("empty", "The file is empty. Export it again and check that it opens before sending it.")
    if size > limits.size:
        most = limits.size // MEGABYTE
        raise FileRefused("too-big", f"The file is larger than {most} MB. Send one term, or one year group, at a time.")
