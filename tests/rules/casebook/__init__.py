"""The published cases: each family says what it traps, and states its answer by reasoning, not by running the rules."""
