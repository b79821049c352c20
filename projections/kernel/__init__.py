"""Parts shared by views: their tables, the loop that follows the history, periods."""
