"""PostgreSQL and Valkey for a laptop and for tests: found, started and stopped by us, skipped when URLs are given."""

from portal.embedded.children import CannotStartError
from portal.embedded.postgres import EmbeddedPostgres
from portal.embedded.running import Servers, servers
from portal.embedded.valkey import EmbeddedValkey

__all__ = ["CannotStartError", "EmbeddedPostgres", "EmbeddedValkey", "Servers", "servers"]
