"""Whole tasks of a person, through real forms in a real browser."""
