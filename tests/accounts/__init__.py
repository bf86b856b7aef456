"""Tests of accounts and the gate."""
