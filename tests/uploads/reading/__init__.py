"""Tests of reading: every layout, every dialect, and what a file may not do."""
