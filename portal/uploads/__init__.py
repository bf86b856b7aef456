"""Files from schools: read, mapped, checked, rehearsed, applied or refused, and undone."""
