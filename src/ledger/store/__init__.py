"""How events are kept: their stored form, the transaction that stores them, and who runs it."""
