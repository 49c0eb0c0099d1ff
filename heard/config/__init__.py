"""How Heard starts: settings, URLs, the ASGI application, the command line. Wiring only."""
