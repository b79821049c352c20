"""Many lines at once: each is recorded once or refused by name, and harms no other."""
