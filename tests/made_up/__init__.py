"""A made-up capability, added to a copy of the portal as `docs/add-a-capability.md` says."""
