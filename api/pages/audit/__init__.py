"""Pages of the auditor: the history, any day of it, its checks."""
