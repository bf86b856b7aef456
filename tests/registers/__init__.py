"""Tests of registers: pages, vectorised rules, and the summaries updated on every write."""
