"""Tests of reading: every layout and dialect, and files that are rejected."""
