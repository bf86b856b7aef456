"""Registers as pages of bytes, and everything derived from them."""
