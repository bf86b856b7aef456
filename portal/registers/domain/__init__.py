"""What registers know that needs no table: pages of marks, the year register, counts and measures."""
