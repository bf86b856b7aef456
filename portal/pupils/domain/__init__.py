"""What pupils know that needs no table: incoming lists, matching, roll lines and what a list changes."""
