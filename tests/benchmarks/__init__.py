"""Tests of published figures: reading them, checking them, keeping them, and showing them."""
