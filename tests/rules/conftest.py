"""Hypothesis settings: no deadline, because a busy machine must not fail a property test."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("laws", deadline=None)
settings.load_profile("laws")
