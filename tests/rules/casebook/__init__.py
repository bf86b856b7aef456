"""The published cases. Answers are reasoned by hand, not taken from the rules."""
