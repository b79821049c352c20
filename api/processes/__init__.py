"""What runs beside the server: the follower, the check of the history."""
