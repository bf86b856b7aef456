"""Background jobs: promised in the transaction that needs them, run once, in their originator's scope."""
