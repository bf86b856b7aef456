"""The pages of accounts: signing in, one's own account, people, authorities, and the demonstration's sign-in."""

from portal.accounts.routes import authorities, demonstration, invitations, own, passwords, people, second_factors, sign_ins
from portal.accounts.routes.blueprint import bp

__all__ = ["authorities", "bp", "demonstration", "invitations", "own", "passwords", "people", "second_factors", "sign_ins"]
