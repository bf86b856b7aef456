"""The outbox and its jobs."""
