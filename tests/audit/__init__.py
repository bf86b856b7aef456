"""Tests of the pages that show the audit."""
