"""PostgreSQL and Valkey for a laptop and for tests, started and stopped by the portal itself.

Where DATABASE_URL and REDIS_URL are set, nothing here starts.
"""
