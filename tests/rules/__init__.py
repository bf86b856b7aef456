"""Tests of the rules: cases from the guidance, property tests, and deliberately wrong engines."""
