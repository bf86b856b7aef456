"""Tests of the one reader of tables."""
