"""Tests of schools."""
