"""What schools know that needs no table: lists of schools and term dates as files hold them."""
