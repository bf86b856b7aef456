"""Files from schools: read, mapped, checked, previewed, applied or rejected, and reverted."""
