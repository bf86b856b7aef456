"""The conventions of the house, each held by a test, and each guard shown to fail on a planted example."""
