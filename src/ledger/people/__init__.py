"""Who is behind the opaque ids of the history, and what they may do."""
