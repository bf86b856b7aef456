"""The web layer's own: layout, GOV.UK components, fields, errors, headers, paging, downloads, static files and home."""
