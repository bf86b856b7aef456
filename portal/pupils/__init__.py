"""Pupils, parents and carers, households, roll lines and characteristics."""
