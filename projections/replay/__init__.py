"""The history worked out again: folded in memory, compared, rebuilt, tried under another rule."""
