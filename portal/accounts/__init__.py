"""Authorities, people, their memberships and roles, and how they sign in."""
