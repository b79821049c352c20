"""/v1, a file a noun."""
