"""Typesetting: a Typst template and its values become a tagged PDF (PDF/UA-1). Values are data, never markup."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import typst

HERE = Path(__file__).parent


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(HERE / "fonts")])


def pdf(template: Path, values: dict[str, object]) -> bytes:
    """Fill the template with `values`, and return a PDF with tags and a language."""
    # Passed as JSON in `sys.inputs.data`, never pasted into the template: a pupil's name must not be read as Typst code.
    content = typst.compile(
        template.read_bytes(),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(values, ensure_ascii=False, default=str)},
        pdf_standards=["ua-1"],
    )
    if not isinstance(content, bytes):
        message = "The template made more than one document."
        raise TypeError(message)
    return content
