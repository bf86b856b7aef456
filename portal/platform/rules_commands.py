"""`portal rules check`: judges cases by the rules alone. It stands outside `portal/rules`, which does no input or output."""

from __future__ import annotations

import sys

import click

from portal.platform.command_line import Noun
from portal.rules.conformance import check_text


@click.group(cls=Noun)
def rules() -> None:
    """Judge cases by the law as arithmetic."""


@rules.command("check")
def judge() -> dict[str, object]:
    """Judge cases from standard input. Needs no database."""
    return check_text(sys.stdin.buffer.read())
