"""The people behind the opaque ids of the history, their roles and their credentials."""
