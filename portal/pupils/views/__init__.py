"""What pages of pupils show, made from queries: two records side by side."""
