"""Reads files of marks, pupils or totals. A file is recognised by its content, never by its name."""
