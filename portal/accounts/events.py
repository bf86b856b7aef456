"""What accounts records in the audit: each event with its sentence and the facts it carries."""

from __future__ import annotations

from portal.audit.events import event

INVITED = event("invitation.sent", "Someone was invited", "role", "schools", "until")
WITHDRAWN = event("invitation.withdrawn", "An invitation was cancelled")
EXPIRED = event("invitation.expired", "An invitation expired: nobody accepted it in seven days")
ACCEPTED = event("invitation.accepted", "An invitation was accepted", "invitation", "from_address", "new_account")
RESET_SENT = event("password.reset_sent", "A link to choose a new password was sent")
RESET_OPENED = event("password.reset_opened", "A link to choose a new password was opened")
RESET_DONE = event("password.reset", "Someone chose a new password by a link")
CHANGED = event("password.changed", "Someone changed their password")
HASH_RENEWED = event("password.hash_renewed", "A password was stored again with newer protection")
AUTHORITY_ADDED = event("authority.added", "An authority was added", "slug")
AUTHORITY_NOTED = event("authority.noted", "A platform operator added an authority", "slug")
PERSON_ADDED = event("person.added", "A person was added")
PERSON_SUSPENDED = event("person.suspended", "An account was suspended after 90 days without use")
PERSON_REINSTATED = event("person.reinstated", "A suspended account was opened again")
MEMBERSHIP_ADDED = event("membership.added", "A person was given a role", "membership", "role", "schools", "until")
MEMBERSHIP_CHANGED = event(
    "membership.changed", "A person's role, schools or last day changed", "membership", "role", "schools", "until"
)
MEMBERSHIP_ENDED = event("membership.ended", "A person's role was ended", "membership", "role")
SET_UP = event("second_factor.set_up", "Someone set up an authenticator app", "replaced")
PROVED = event("second_factor.proved", "Someone entered the code from their authenticator app", "sign_in")
CODE_USED = event(
    "second_factor.recovery_code_used", "A recovery code was used in place of the authenticator app", "sign_in", "left"
)
CODES_MADE = event("second_factor.recovery_codes_made", "New recovery codes were made; the old ones stopped working")
KEYS_ROTATED = event(
    "second_factor.keys_rotated", "Second factors were encrypted with another key", "key", "encrypted_anew", "unopened"
)
TAKEN_OFF = event(
    "second_factor.taken_off", "An administrator reset someone's sign-in, so that they set up a new authenticator app"
)
SIGNED_IN = event("sign_in.entered", "Someone signed in to this authority", "sign_in", "how", "second_factor")
SIGNED_OUT = event("sign_in.ended", "Someone signed out, or ended one of their sign-ins", "sign_in")
CHANGED_ELSEWHERE = event(
    "person.changed_elsewhere", "A person with a role here was acted on in another authority, or by the portal", "event_name"
)
SIGNED_OUT_EVERYWHERE = event("sign_in.all_ended", "Someone's other sign-ins were ended", "ended", "why")
SLOWED = event("sign_in.slowed", "Many wrong tries at signing in were slowed down", "purpose", "by")
