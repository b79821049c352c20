"""Forms that are drawn from what a step takes: its path, its body and the states it is open in."""
