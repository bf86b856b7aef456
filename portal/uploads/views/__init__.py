"""Made from queries: an upload's page, and lists and totals as pages show them."""
