"""How large a file may be. Checked before it is parsed, as far as its bytes show it."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.platform import upload_limit


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is read, and what to do with a larger one.

    `size` is the portal's one upload limit. Sizes and memory are in bytes. `part`, `parts`, `unpacked` and `ratio` (of unpacked
    to packed size) are for the parts of a workbook's ZIP; `area` is rows times columns; `line` and `cell` are characters; `depth`
    is the nesting of XML or JSON.
    """

    size: int = field(default_factory=upload_limit.in_bytes)
    unpacked: int = 100_000_000
    part: int = 60_000_000
    parts: int = 200
    ratio: int = 200
    rows: int = 1_200_000
    columns: int = 2_000
    area: int = 12_000_000
    line: int = 1_000_000
    cell: int = 32_767
    depth: int = 100
    seconds: int = 120
    memory: int = 1_500_000_000
    advice: str = "Send it in parts, such as a term at a time."
