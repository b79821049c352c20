"""Read models, a file a noun: tables, how events are written into them, how they are read."""
