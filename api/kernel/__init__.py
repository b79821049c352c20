"""What every route is made of: doors, bodies read strictly, pages of lists, problem documents."""
