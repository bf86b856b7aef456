"""What accounts know that needs no table: passwords, roles, second factors and clients."""
