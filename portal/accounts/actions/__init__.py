"""The actions on accounts, gathered from one module per noun."""

from portal.accounts.actions.invitations import accept_as_existing_person, accept_as_new_person, invite, withdraw_invitation
from portal.accounts.actions.mail import deliver_mail, send_mail
from portal.accounts.actions.passwords import change_password, exchange_reset, finish_reset, renew_hash, send_reset
from portal.accounts.actions.people import (
    TakenError,
    add_authority,
    add_membership,
    add_person,
    change_membership,
    end_membership,
    ensure_platform,
    note_authority,
    reinstate,
    suspend_unused,
)
from portal.accounts.actions.second_factors import (
    make_recovery_codes,
    prove_factor,
    reset_second_factor,
    set_up_factor,
    use_recovery_code,
)
from portal.accounts.actions.sign_ins import begin, end_other_sign_ins, end_sign_in, enter, renew, touch
from portal.accounts.actions.tries import admit, forget_tries, settle
from portal.accounts.queries import platform_scope
from portal.accounts.roles import MembershipRefusedError, Reach

__all__ = [
    "MembershipRefusedError",
    "Reach",
    "TakenError",
    "accept_as_existing_person",
    "accept_as_new_person",
    "add_authority",
    "add_membership",
    "add_person",
    "admit",
    "begin",
    "change_membership",
    "change_password",
    "deliver_mail",
    "end_membership",
    "end_other_sign_ins",
    "end_sign_in",
    "ensure_platform",
    "enter",
    "exchange_reset",
    "finish_reset",
    "forget_tries",
    "invite",
    "make_recovery_codes",
    "note_authority",
    "platform_scope",
    "prove_factor",
    "reinstate",
    "renew",
    "renew_hash",
    "reset_second_factor",
    "send_mail",
    "send_reset",
    "set_up_factor",
    "settle",
    "suspend_unused",
    "touch",
    "use_recovery_code",
    "withdraw_invitation",
]
