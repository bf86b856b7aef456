"""PostgreSQL and Valkey for a laptop and for tests, started and stopped by the portal itself.

Where DATABASE_URL and REDIS_URL are set, nothing here starts.
"""

from portal.embedded.children import CannotStartError
from portal.embedded.postgres import EmbeddedPostgres
from portal.embedded.running import Servers, servers
from portal.embedded.valkey import EmbeddedValkey

__all__ = ["CannotStartError", "EmbeddedPostgres", "EmbeddedValkey", "Servers", "servers"]
