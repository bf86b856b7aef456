"""The attendance portal: an English local authority, its schools and its partners on one record."""
