"""The actions on accounts, gathered from one module per noun."""
