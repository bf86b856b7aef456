"""Tests of the command line, as a data team with only the documentation would drive it."""
