"""What the audit knows that needs no table: the chain's hashes."""
