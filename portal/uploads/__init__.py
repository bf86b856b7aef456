"""Files from schools: read, checked, rehearsed, applied, undone."""
