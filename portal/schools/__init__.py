"""Schools, trusts, term dates and non-school days."""
