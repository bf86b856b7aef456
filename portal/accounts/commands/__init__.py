"""The commands of accounts, one module for each noun."""
