"""Pages of a donor: giving, and what came of it."""
