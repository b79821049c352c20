"""Charity sales: what is sold, what comes back, and what the partner owes."""
