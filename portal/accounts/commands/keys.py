"""`portal keys`: moves what is encrypted from an earlier secret key to the present one."""

from __future__ import annotations

import click

from portal.accounts.actions.people import ensure_platform
from portal.accounts.actions.second_factors import reseal_secrets
from portal.accounts.domain.second_factor import derive_keys
from portal.accounts.queries.principals import platform_scope
from portal.db.work import unit_of_work
from portal.platform.command_line import CommandFailedError, CommandLine, Noun


@click.group(cls=Noun)
def keys() -> None:
    """Change the key that second factors are encrypted with."""


@keys.command()
@click.pass_obj
def rotate(command_line: CommandLine) -> dict[str, object]:
    """Encrypt every second factor with PORTAL_SECRET_KEY. Those of PORTAL_OLD_SECRET_KEYS are opened with these."""
    sealing_keys = derive_keys(command_line.settings.secret_key, *command_line.settings.earlier_secret_keys)
    with command_line.database(), unit_of_work(platform_scope()):
        ensure_platform()
        rotation = reseal_secrets(sealing_keys)
    if rotation.unopened:
        message = (
            "Some second factors were encrypted with a key that is not here. Add it to PORTAL_OLD_SECRET_KEYS, and run this again."
        )
        raise CommandFailedError(message, [{"unopened": rotation.unopened, "encrypted_anew": rotation.resealed}])
    return {"key": sealing_keys.current_id.hex(), "encrypted_anew": rotation.resealed, "unopened": 0}
