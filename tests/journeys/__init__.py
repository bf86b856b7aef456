"""Whole stories, through real forms and a real browser."""
