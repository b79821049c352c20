"""Processes beside the server: the follower, the self-check, the garbage collector's settings."""
