"""The tests: rules without a database, everything else on a real one."""
