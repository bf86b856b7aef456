"""The metadata of every table, for the migrations and for the tests that read the catalogue."""

from __future__ import annotations

import portal.accounts.models
import portal.audit.models
import portal.benchmarks.models
import portal.jobs.outbox
import portal.platform.models
import portal.pupils.models
import portal.registers.models
import portal.schools.models
import portal.uploads.models
from portal.db.tables import Base

METADATA = Base.metadata

#: Imported so that their tables are in the metadata; listed so that no import looks unused.
GATHERED = (
    portal.accounts.models,
    portal.audit.models,
    portal.benchmarks.models,
    portal.platform.models,
    portal.pupils.models,
    portal.registers.models,
    portal.schools.models,
    portal.uploads.models,
    portal.jobs.outbox,
)
