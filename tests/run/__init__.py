"""Tests of `./run`, the settings, the process tree and the health pages."""
