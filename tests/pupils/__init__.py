"""Tests of pupils."""
