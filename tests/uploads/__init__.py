"""Tests of uploads: reading, checking, applying and reverting files from schools."""
