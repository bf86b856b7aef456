"""What pages of schools show, made from queries: a year of dates."""
