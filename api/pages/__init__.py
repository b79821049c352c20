"""Pages for people: rendered here, from the views that the API reads. They decide nothing.

A page is a template (``templates/``) filled by a route; ``languages`` says it in the reader's
language, ``rendering`` sends it with its headers, ``assets`` has the files that it links to.
``live`` watches what changes while somebody looks.
"""
