"""One test for each abuse case, its id in the name."""
