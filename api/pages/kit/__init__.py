"""What pages share: templates, languages, forms, tables, files, sign-in."""
