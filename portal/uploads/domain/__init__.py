"""What uploads know that needs no table: reading and checking of files."""
