"""Benchmarks: the portal's speed and size, measured beside the simplest and the usual ways of doing the same."""
