"""Parts shared by pages: templates, languages, forms, tables, files, sign-in."""
