"""What changes pupils: lists, possible duplicates, contacts, and the authority's links between records."""
