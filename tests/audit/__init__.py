"""Tests of the audit's pages."""
