"""What every part of the ledger is made of: events and aggregates, refusals, money, ids."""
