"""The front doors: HTTP, command line. Nothing is decided here."""
