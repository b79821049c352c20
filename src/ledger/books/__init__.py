"""Figures of events: entries, movements of funds, guarded counters."""
