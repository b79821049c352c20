"""Pages of the office: what to approve, pay, settle and find on statements."""
