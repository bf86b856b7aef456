"""Tests of the project's conventions. Each guard also has a test that shows it failing on a planted example."""
