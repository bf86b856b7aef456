"""The audit: append-only and hash-chained per authority; what was done, by whom, to what, never with a name in it."""
