"""Tests of attacks, one for each attack in README.md, whose id is in the test's docstring."""
