"""Tests of the settings of an authority."""
