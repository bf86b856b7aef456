"""Actions on second factors: set up, check a code, use a recovery code, remove a lost one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import delete, select

from portal.accounts.actions.mail import send_mail
from portal.accounts.actions.sign_ins import end_other_sign_ins, renew
from portal.accounts.actions.whole_people import record_for_whole_person, refuse_unless_whole_person_in_reach
from portal.accounts.domain import second_factor
from portal.accounts.events import CODE_USED, CODES_MADE, KEYS_ROTATED, PROVED, SET_UP, TAKEN_OFF
from portal.accounts.models import Credential, Person, RecoveryCode, SignIn
from portal.audit.actions import record
from portal.db.work import action, needs_sign_in_rights, tx
from portal.platform import clock
from portal.platform.refusals import must_exist

if TYPE_CHECKING:
    from uuid import UUID

    from portal.accounts.domain.second_factor import SealingKeys


@needs_sign_in_rights
@action
def prove_factor(sign_in_id: UUID, typed: str, key: SealingKeys) -> str | None:
    """Check six digits from the authenticator app. Returns the sign-in's new token, or None for wrong digits.

    The digits of one half minute work once, however they are typed the second time.
    """
    sign_in, credential = _sign_in_and_credential(sign_in_id)
    if credential.totp_secret is None:
        return None
    secret = second_factor.unseal(credential.totp_secret, key, credential.person_id)
    step = second_factor.matching_step(secret, typed, credential.totp_last_step)
    if step is None:
        return None
    credential.totp_last_step = step
    record(PROVED, credential.person_id, sign_in=sign_in.id)
    return renew(sign_in.id, second_factor=True)


@needs_sign_in_rights
@action
def use_recovery_code(sign_in_id: UUID, typed: str) -> str | None:
    """Check a recovery code. Each works once, and its owner is told by mail.

    Returns the sign-in's new token, or None for a wrong code.
    """
    sign_in, credential = _sign_in_and_credential(sign_in_id)
    unused_codes = (
        tx()
        .scalars(
            select(RecoveryCode)
            .where(RecoveryCode.person_id == credential.person_id, RecoveryCode.used_at.is_(None))
            .with_for_update()
        )
        .all()
    )
    typed_hash = second_factor.hash_recovery_code(typed, credential.person_id)
    code = next((code for code in unused_codes if secrets.compare_digest(code.code_hash, typed_hash)), None)
    if code is None or credential.totp_secret is None:
        return None
    code.used_at = clock.now()
    record(CODE_USED, credential.person_id, sign_in=sign_in.id, left=len(unused_codes) - 1)
    send_mail(_email(credential.person_id), "A recovery code was used", _CODE_USED_MAIL.format(left=len(unused_codes) - 1))
    return renew(sign_in.id, second_factor=True)


@needs_sign_in_rights
@action
def set_up_factor(sign_in_id: UUID, secret: str, typed: str, key: SealingKeys) -> tuple[str, list[str]] | None:
    """Store a new authenticator secret once the digits typed match it.

    The person's other sign-ins end and they are told by mail. Returns the sign-in's new token and ten recovery
    codes, which are shown only this once; None for wrong digits.

    Raises:
        PermissionError: when the person has a second factor already and this sign-in has not passed it.
    """
    sign_in, credential = _sign_in_and_credential(sign_in_id)
    replaced = credential.totp_secret is not None
    if replaced and sign_in.second_factor_at is None:
        raise PermissionError(sign_in_id)
    step = second_factor.matching_step(secret, typed, None)
    if step is None:
        return None
    # The step just used is stored with the secret, so that the same digits cannot sign in a second time.
    credential.totp_secret, credential.totp_last_step = second_factor.seal(secret, key, credential.person_id), step
    record_for_whole_person(SET_UP, credential.person_id, replaced=replaced)
    codes = make_recovery_codes(credential.person_id)
    end_other_sign_ins(credential.person_id, "second factor", keep=sign_in.id)
    send_mail(_email(credential.person_id), "Your authenticator app was set up", _SET_UP_MAIL)
    return renew(sign_in.id, second_factor=True), codes


@needs_sign_in_rights
@action
def make_recovery_codes(person_id: UUID) -> list[str]:
    """Make ten new recovery codes, to be shown only this once. The old ones stop working."""
    tx().execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = second_factor.recovery_codes()
    tx().add_all(
        RecoveryCode(id=uuid4(), person_id=person_id, code_hash=second_factor.hash_recovery_code(code, person_id)) for code in codes
    )
    record(CODES_MADE, person_id)
    return codes


@needs_sign_in_rights
@action
def reset_second_factor(person_id: UUID) -> None:
    """Remove a lost second factor, so that the person sets up a new one at the next sign-in.

    Every sign-in of the person ends and they are told by mail.

    Raises:
        NotFoundError: when there is no such person.
        RefusedError: when the person has a role outside the actor's reach.
    """
    person = must_exist(tx().get(Person, person_id))
    refuse_unless_whole_person_in_reach(person_id)
    credential = tx().get_one(Credential, person_id, with_for_update=True)
    credential.totp_secret, credential.totp_last_step = None, None
    tx().execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    record_for_whole_person(TAKEN_OFF, person_id)
    end_other_sign_ins(person_id, "second factor taken off")
    send_mail(person.email, "Your sign-in was reset", _TAKEN_OFF_MAIL)


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many second factors were encrypted again, and how many no key here opens."""

    resealed: int
    unopened: int


@needs_sign_in_rights
@action
def reseal_secrets(keys: SealingKeys) -> Rotation:
    """Encrypt with the present key every second factor that an earlier one was used for. Others stay as they are."""
    resealed = unopened = 0
    for credential in tx().scalars(select(Credential).where(Credential.totp_secret.is_not(None)).with_for_update()):
        stored = credential.totp_secret
        if stored is None or second_factor.is_sealed_with_current(stored, keys):
            continue
        try:
            secret = second_factor.unseal(stored, keys, credential.person_id)
        except second_factor.TamperedError:
            unopened += 1
            continue
        credential.totp_secret = second_factor.seal(secret, keys, credential.person_id)
        resealed += 1
    record(KEYS_ROTATED, None, key=keys.current_id.hex(), encrypted_anew=resealed, unopened=unopened)
    return Rotation(resealed, unopened)


def _email(person_id: UUID) -> str:
    return tx().get_one(Person, person_id).email


def _sign_in_and_credential(sign_in_id: UUID) -> tuple[SignIn, Credential]:
    sign_in = must_exist(tx().scalar(select(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))))
    # The row is locked: otherwise two requests with one code could both read the last used step before either stores it.
    return sign_in, tx().get_one(Credential, sign_in.person_id, with_for_update=True)


_WARNING = """
If this was not you, tell your administrator at once.
"""

_CODE_USED_MAIL = f"""A recovery code was used to sign in to your account in the attendance portal. You have {{left}} left.

You can make ten new ones on the page "Your account".
{_WARNING}"""

_SET_UP_MAIL = f"""An authenticator app was set up for your account in the attendance portal. Your other sign-ins were ended.
{_WARNING}"""

_TAKEN_OFF_MAIL = f"""An administrator reset the sign-in of your account in the attendance portal.

Sign in with your password; the portal then helps you to set up your authenticator app again.
{_WARNING}"""
