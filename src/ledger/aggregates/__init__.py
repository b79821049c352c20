"""The nouns of the charity: each a file, or a package, of its events, rules and state."""
