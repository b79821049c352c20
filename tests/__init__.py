"""What the ledger promises, in sentences."""
