"""Parts of every route: doors, strict bodies, pages of lists, problem documents."""
