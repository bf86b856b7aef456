"""The settings of an authority: what the law leaves open, decided by a person, from a day on, with the reason."""
