"""The metadata of every table, for the migrations and for the tests that read the catalogue."""

from __future__ import annotations

import portal.jobs.outbox
import portal.platform.models
from portal import capabilities
from portal.db.tables import Base

#: The modules that hold tables: the platform's own, and each capability's.
MODULES = (portal.platform.models, portal.jobs.outbox, *capabilities.models())

METADATA = Base.metadata
