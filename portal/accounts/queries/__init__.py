"""The queries on accounts, gathered from one module per noun."""
