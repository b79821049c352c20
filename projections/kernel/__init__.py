"""What views share: their tables, the loop that follows the history, where it begins, periods."""
