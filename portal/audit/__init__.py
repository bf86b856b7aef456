"""The audit: what was done, by whom and to what, without names. Append-only, with one hash chain per authority."""
