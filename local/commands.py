"""`portal up`: starts everything."""

from __future__ import annotations

import os
import sys

import click

from config.settings import Settings, SettingsError
from local import supervisor


@click.command()
def up() -> int:
    """Start everything, and run until it is stopped. Prints no document: what it says is for a person."""
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return supervisor.main(settings)
