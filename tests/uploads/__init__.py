"""Tests of uploads: reading, checking, applying and undoing files from schools."""
