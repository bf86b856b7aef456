"""The command line, driven as an outside data team would: with its documentation, and a recount of its own."""
