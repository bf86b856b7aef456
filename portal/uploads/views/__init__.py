"""What pages of uploads show, made from queries: an upload's page, and lists and totals as pages show them."""
