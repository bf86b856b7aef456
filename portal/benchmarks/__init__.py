"""Published figures for England, its regions and authorities."""
