"""Tests that the migrations make the schema the models describe."""
