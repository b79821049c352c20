"""The audit: whether a history is what was signed, and its figures what it adds up to."""
