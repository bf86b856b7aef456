"""The demonstration: an invented authority, drawn from a seed, with rates of absence close to the published ones."""
