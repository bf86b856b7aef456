"""The demonstration: an invented authority, drawn from a seed, whose rates of absence come close to the published ones."""
