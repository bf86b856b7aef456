"""The database: column types, tables, the connection, the unit of work and bulk loading."""
