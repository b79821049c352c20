"""Promises to a fund, what arrives on them, and what goes back."""
