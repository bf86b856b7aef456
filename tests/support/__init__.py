"""Support for tests: servers, a small world of two authorities, and a browser that checks the page law."""
