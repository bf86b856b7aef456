"""Measurements of the portal's speed and size, beside the plainest and the usual ways of doing the same, in one run."""
