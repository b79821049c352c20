"""Aid out of a fund, from the request to the payee's signature."""
