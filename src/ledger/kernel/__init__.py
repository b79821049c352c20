"""The ledger's building blocks: events and aggregates, refusals, money, ids."""
