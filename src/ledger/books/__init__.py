"""What events mean in figures: entries, movements of funds, guarded counters."""
