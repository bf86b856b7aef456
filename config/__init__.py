"""How this installation is set up: settings from the environment, logging, and the web server's own configuration."""
