"""Tests of the embedded servers, with real processes that are really killed."""
