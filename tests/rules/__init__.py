"""Tests of the law as arithmetic: tables transcribed from the guidance, laws, and wrong engines caught."""
