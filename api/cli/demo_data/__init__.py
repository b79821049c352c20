"""An illustrative ledger: the charity sale on television, from the plan to the thank-you."""
