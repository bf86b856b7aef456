"""Tests of the database layer."""

"""Tests of the database: scopes, conditions added to statements, and lists of many schools."""
