"""The settings of an authority: what the law leaves open, from a day on, with the reason."""
