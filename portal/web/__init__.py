"""The web layer: layout, GOV.UK components, form fields, errors, headers, paging, downloads, static files and home."""
