"""Tests of the demonstration authority: its plan, its marks, its rates and its messy files."""
