"""Tests of registers: pages and their laws, the sweep beside the rules, and what is kept in step on every write."""
