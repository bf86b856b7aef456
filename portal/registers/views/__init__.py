"""What pages of registers show, made from queries: the attendance record and the summaries of schools."""
