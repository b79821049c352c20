"""The public log: a Merkle tree over the history, kept level with it, and what is signed of it."""
