"""What tests stand on: servers, a small world of two authorities, and a browser that applies the page law."""
